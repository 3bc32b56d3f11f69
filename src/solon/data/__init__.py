"""Prompts and helpfulness data, read from the user's files. The formats are described in docs/formats/prompts.md."""
