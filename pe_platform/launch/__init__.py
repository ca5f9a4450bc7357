"""`make run`: everything one machine needs, started together, stopped together."""
