"""Exports of conversations, in every layout seen, as one `Conversation` and the findings made on the way.

`files` tells which files there are, `names` what their columns are called, `kinds` what stands in them. `sources` and
`columns` read CSV files and JSON lists alike, and so does `folder` what an import wrote; `contents` makes of
them what is in `exported`. `sign` says which number means agree; `latest` which of several votes counts; `counts`
and `mathematics` hold what the export says twice against itself; `assemble` makes the conversation. Columns
are found by name, never by position.
"""
