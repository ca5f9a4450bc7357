"""The apps of the platform, one package a layer (ARCHITECTURE section 1)."""
