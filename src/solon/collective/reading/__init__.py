"""Exports of conversations, in every layout seen, as one `Conversation` and the findings made on the way.

`layout` tells which files there are; `csv_export`, `server_json` read them as they are; `sign` says which number means
agree; `latest` resolves re-votes; `counts`, `texts` and `datetimes` hold what the export says twice against itself;
`assemble` puts it all together. Rows and columns are found by id and name, never by position.
"""
