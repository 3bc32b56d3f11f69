"""The stages of a run, in order: constitution -> feedback -> training -> evidence."""
