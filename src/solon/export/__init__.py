"""A run's data in the forms of other trainers.

    sets    the rows of each set, from the stages of a run
    forms   dialogues as messages or as text
    trl     a folder with every set, as JSONL or Parquet
    card    the folder's README.md

Free of torch.
"""
