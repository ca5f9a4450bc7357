"""Rollouts as pure functions of frozen values: plans, assignment, statistics, guards.

Nothing in this package reads a database, a clock or a network; what does stands beside
it, in services, selectors and routing.
"""
