"""Classifies a support message and ranks the replies that a clinician approved."""
