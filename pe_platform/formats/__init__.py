"""How screens write dates: the same everywhere, sortable, in UTC."""
