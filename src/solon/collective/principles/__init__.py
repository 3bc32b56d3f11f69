"""Statements into a constitution: harmless text, topics and merges, selection, wording, the trace back to votes."""
