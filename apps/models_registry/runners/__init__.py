"""Training runners: named in ``PE_TRAINING_RUNNERS``; the only code that trains."""
