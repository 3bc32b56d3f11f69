"""The report of one run, a file for each part: what its template shows, worked out from the data."""
