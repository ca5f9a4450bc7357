"""Sweeps as pure functions: the document, and what to try next. No database."""
