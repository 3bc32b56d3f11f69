"""Exports made up, and the ways in which they are damaged: what `public_fuzz.py` tries on the importer."""
