"""Evaluators, rollouts with their statistics, and the router that sends traffic."""
