"""Polis's mathematics, written from its formulas. Rows and columns are sorted by id: an export's order does not matter."""
