"""The six gates, their policies and verdicts, and crisis escalations."""
