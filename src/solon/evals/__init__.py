"""The evidence: one file per measure, and the statistics they share. It knows nothing of the world."""
