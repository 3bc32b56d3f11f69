"""`solon collect import`: a Polis export, checked, as one folder that every other command reads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

SIGNS = {"agree=+1": 1, "agree=1": 1, "agree=-1": -1}


def import_(
    export: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the export.")],
    out: Annotated[Path, typer.Option("-o", "--out", metavar="OUT", help="Folder to write the conversation to.")],
    vote_sign: Annotated[
        str | None,
        typer.Option(metavar="agree=+1|agree=-1", help="Which number means agree, where the export leaves it unclear."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a conversation imported before.")] = False,
) -> None:
    """Import a conversation from Polis: check it, repair what can be, and say what was found.

    Reads comments.csv with participants-votes.csv or votes.csv or both, the server's comments.json with votes.json,
    and its CSV export. Votes become +1 agree, -1 disagree, 0 pass; the sign is checked against the export itself.

    \b
      [bold]solon collect import polis-export -o parks[/bold]
      [bold]solon collect import server-export -o parks --vote-sign agree=-1[/bold]
      [bold]solon collect groups parks -o groups.csv[/bold]
    """
    from solon.cli.constitution import printable
    from solon.collective.folder import open_conversation, write_imported

    imported = open_conversation(export, vote_sign=sign_of(vote_sign))
    write_imported(imported, out, read=export, force=force)
    colours = {"note": None, "repair": typer.colors.YELLOW, "warning": typer.colors.RED}
    for finding in imported.findings:
        line = printable(" ".join(str(finding).split()))
        typer.secho(f"{finding.severity}: {line}", fg=colours[finding.severity])
    talk = imported.conversation
    shape = f"{len(talk.participants):,} participants, {len(talk.statements):,} statements"
    typer.echo(f"{out}: {shape}, {int(talk.seen_PS.sum()):,} votes")


def sign_of(text: str | None) -> int | None:
    """The number that means agree, as `--vote-sign` says it."""
    from solon.errors import InputError

    if text is None:
        return None
    if text.replace(" ", "") not in SIGNS:
        raise InputError(f"--vote-sign {text!r} is unknown", hint="agree=+1 or agree=-1")
    return SIGNS[text.replace(" ", "")]
