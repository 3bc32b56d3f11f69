"""`solon eval`: evaluations on files that others published, and on answers that were given."""
