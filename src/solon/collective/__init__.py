"""Public input, from a folder of votes to a constitution that can be traced back to them.

Read in the order in which the data flows:

    reading/      an export in any layout becomes a `conversation`, with its vote sign and its faults stated
    people/       who took part, against the population that was meant to; weights; small counts hidden
    cleaning/     who and what is left out, by which rule
    opinion/      groups and consensus: Polis's mathematics, the CCAI study's, and how far to trust either
    principles/   topics, merges, selection and wording: a constitution, and the trace back to votes
    exporting     the conversation for others, with or without what identifies people

`tables` reads and writes every CSV file, `output` a folder as a whole; `phrases` has what several parts say alike.
"""
