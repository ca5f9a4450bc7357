"""Datasets, immutable versions, validation and freezing."""
