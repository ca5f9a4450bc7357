"""Evidence and data protection: what an auditor or a data subject may ask for."""
