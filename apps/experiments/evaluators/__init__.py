"""Evaluators: named in ``PE_EVALUATORS``; each measures one thing about a version."""
