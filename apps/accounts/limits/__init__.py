"""Rate limits: GCRA, counted by one store for all processes of a machine or cluster.

When the store cannot be asked, nothing is let through (LimiterUnavailable, 503): an
uncounted flood would cost the people already being answered. The inference API turns
that into its fixed text with crisis contacts, so nobody meets silence.
"""

from apps.accounts.limits.check import check_rate, close_limiter
from apps.accounts.limits.gcra import Bucket, Grant, decide

__all__ = ["Bucket", "Grant", "check_rate", "close_limiter", "decide"]
