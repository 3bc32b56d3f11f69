"""Polis's mathematics, written from its formulas. Rows and columns are sorted by id: the order of an export is nothing."""
