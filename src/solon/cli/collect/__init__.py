"""`solon collect`: one file per command, gathered in `app`."""
