"""People, roles, API keys, tiers and quotas."""
