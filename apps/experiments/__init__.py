"""Evaluators now; sweeps, rollouts and routing later."""
