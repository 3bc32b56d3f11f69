"""Exports of conversations, in every layout seen, as one `Conversation` and the findings made on the way.

`layout` tells which files there are, `names` what their columns are called, `kinds` what stands in them. `sources` and
`columns` read CSV files and JSON lists alike; `comments`, `votes`, `matrix` and `about` make of them what `export` puts
together. `sign` says which number means agree; `latest` resolves re-votes; `counts`, `texts` and `datetimes` hold what
the export says twice against itself; `assemble` makes the conversation. Columns are found by name, never by position.
"""
