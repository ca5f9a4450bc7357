"""The tamper-evident log. It sits below accounts and holds no foreign keys."""
