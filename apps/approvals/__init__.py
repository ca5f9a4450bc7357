"""Who must sign, who signed, separation of duties."""
