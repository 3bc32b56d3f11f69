"""What models say about their own answers: critiques, revisions, pairs and labels.

Every function is pure: the same rows and seed give the same records, whichever shard they come in, up to rounding.
"""
