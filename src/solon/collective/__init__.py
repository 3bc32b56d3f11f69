"""Public input: votes on statements, the opinion groups in them, their consensus, and a constitution made of it."""
