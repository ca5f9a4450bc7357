"""Brings models that were trained elsewhere into the registry."""
