"""Promotion policies: what a version's reports must show, and who accepted a risk."""
