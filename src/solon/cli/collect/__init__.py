"""`solon collect`: a file for a command or two that belong together, gathered in `app`."""
