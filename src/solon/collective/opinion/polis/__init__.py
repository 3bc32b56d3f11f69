"""Polis's mathematics, written from its formulas: where people stand, their groups, and what sets each apart.

Every step takes rows and columns sorted by id, so the order of an export never changes a result. Where Polis has a
quirk, the docstring of the step says what we do.
"""
