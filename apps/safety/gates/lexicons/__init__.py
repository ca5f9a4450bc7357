"""Phrases written for this project, as data: no person's words, no logic."""
