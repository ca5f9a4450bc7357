"""Which language a text is in, as far as its words tell."""
