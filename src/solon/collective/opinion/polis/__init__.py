"""Polis's mathematics, from its formulas. Rows and columns are sorted by id: the order of an export does not count."""
