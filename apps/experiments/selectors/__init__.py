"""Reads of this app: rollouts and what arms have shown, sweeps and their trials."""
