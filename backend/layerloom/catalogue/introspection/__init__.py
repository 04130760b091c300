"""How the installed torch is read: one module per kind of entry, and what they share."""
