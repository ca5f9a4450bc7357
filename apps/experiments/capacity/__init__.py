"""How many workers a queue needs, and what policies would have cost. Pure functions."""
