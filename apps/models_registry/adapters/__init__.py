"""Model adapters: named in ``PE_MODEL_ADAPTERS``; the only code that loads models."""
