"""The six gates: pure functions of an inspection and its thresholds.

Nothing under this package touches Django, the database, a clock or the network, and
importing it loads no tensor library.
"""
