"""What adapters need that ask another server: where it is, and how it may fail."""
