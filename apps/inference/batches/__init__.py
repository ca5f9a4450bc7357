"""Batches: many texts in one file, each of them answered like any single request."""
