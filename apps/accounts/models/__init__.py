"""Tables of the accounts app: people, tiers, keys and what keys have used.

Only facts about one row live here; every write goes through apps.accounts.services.
"""

from apps.accounts.models.keys import ApiKey, QuotaUsage, Tier
from apps.accounts.models.people import User

__all__ = ["ApiKey", "QuotaUsage", "Tier", "User"]
