"""Screens for people. Keys and tiers are registered beside their models."""
