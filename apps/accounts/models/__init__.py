"""Tables of the accounts app: people and their second factors, tiers, keys, usage.

Only facts about one row live here; every write goes through apps.accounts.services.
"""

from apps.accounts.models.factors import Authenticator, RecoveryCode
from apps.accounts.models.keys import ApiKey, QuotaUsage, Tier
from apps.accounts.models.people import User

__all__ = [
    "ApiKey",
    "Authenticator",
    "QuotaUsage",
    "RecoveryCode",
    "Tier",
    "User",
]
