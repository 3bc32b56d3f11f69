"""`solon collect`: from a public's votes to a constitution."""

from __future__ import annotations

import typer

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Public input: votes, opinion groups, consensus, and a constitution made of them.",
)
