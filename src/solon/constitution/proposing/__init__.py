"""From a long document in prose to a proposed constitution: articles, their order, hard constraints. A person confirms.

Rules and nothing else, so that the same document gives the same proposal, and each part of it can name the line and the
reason that it comes from. They read English; of other languages they find headings and lists.
"""
