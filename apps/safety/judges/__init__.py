"""Second judges beside the gates: they make a decision stricter, or are recorded."""
