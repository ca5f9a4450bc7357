"""Records an endpoint as a version, through the flow of every other version."""
