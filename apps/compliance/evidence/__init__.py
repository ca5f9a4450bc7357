"""Evidence for a period: what auditors ask for, read from the rows that govern."""
