"""Where a row of a run comes from, back to principles, statements and votes, and what came of it."""
