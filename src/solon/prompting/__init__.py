"""How dialogues, critiques, revisions and comparisons are put into words for a model."""
