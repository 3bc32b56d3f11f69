"""`solon collect import` and `export`: a conversation in from Polis, checked, and out again in Polis's layout."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect.options import Folder, OutFolder, say
from solon.collective.exporting import MUST_STAY_PRIVATE, export_conversation
from solon.collective.reading.folder import open_conversation, write_import
from solon.errors import InputError
from solon.text import printable

SIGNS = {"agree=+1": 1, "agree=1": 1, "agree=-1": -1}
HEADINGS = (
    ("note", "Read and checked", None),
    ("repair", "Repaired", typer.colors.YELLOW),
    ("warning", "Worth a look: this does not fit together, or is missing", typer.colors.RED),
)
"""Of findings by severity: what needs a look stands last and is not scrolled away."""


def import_(
    export: Annotated[Path, Argument(metavar="DIR", help="The folder of the export.")],
    out: OutFolder,
    vote_sign: Annotated[
        str | None,
        Option(metavar="agree=+1|agree=-1", help="Say which number means agree where the export leaves it unclear."),
    ] = None,
    force: Annotated[bool, Option("--force", help="Replace a conversation that you imported before.")] = False,
) -> None:
    """Import a conversation from Polis: check it, and repair it.

    This reads comments.csv with participants-votes.csv or votes.csv or both, the server's CSV export, and comments.json
    with votes.json as the server or red-dwarf writes them. Votes become +1 agree, -1 disagree, 0 pass; the sign is
    checked against the export itself. The command says what it found and what it repaired.

    \b
      [bold]solon collect import polis-export -o parks[/bold]
      [bold]solon collect import server-export -o parks --vote-sign agree=-1[/bold]
      [bold]solon collect groups parks -o groups.csv[/bold]
    """
    imported = open_conversation(export, vote_sign=_sign_of(vote_sign))
    write_import(imported, out, force=force)
    for severity, heading, color in HEADINGS:
        if found := [str(one) for one in imported.findings if one.severity == severity]:
            typer.secho(f"{heading} ({len(found)})", fg=color, bold=True)
            say(f"  {printable(' '.join(one.split()))}" for one in found)
    talk = imported.conversation
    shape = f"{len(talk.participants):,} participants, {len(talk.statements):,} statements"
    typer.echo(f"{out}: {shape}, {int(talk.seen_PS.sum()):,} votes (1 agree, -1 disagree, 0 pass)")
    typer.echo(f"What was found is also in {out / 'findings.csv'}. Next: solon collect groups {out} -o groups.csv")


def export(
    folder: Folder,
    out: OutFolder,
    organiser: Annotated[
        bool, Option("--organiser", help="Keep ids, authors and exact times. Do not publish this version.")
    ] = False,
    authors: Annotated[
        bool, Option("--authors", help="Keep who wrote what, under the new ids. Do so only if they consented.")
    ] = False,
    seed: Annotated[int | None, Option(help="Seed of the new ids. Default: a new one each time.")] = None,
    force: Annotated[bool, Option("--force", help="Replace an export that you wrote before.")] = False,
) -> None:
    """Export a conversation in Polis's layout.

    This writes comments.csv, votes.csv, participants-votes.csv and summary.csv. The public version gives participants
    random ids, rounds times to the day, orders votes by statement, and names no authors. The organiser's version keeps
    all else that the import kept. Neither has external ids.

    \b
      [bold]solon collect export parks -o parks-public[/bold]
      [bold]solon collect export parks -o parks-raw --organiser[/bold]
    """
    talk = open_conversation(folder).conversation
    say(export_conversation(talk, out, organiser=organiser, authors=authors, seed=seed, force=force))
    if organiser:
        typer.secho(MUST_STAY_PRIVATE, fg=typer.colors.YELLOW)


def _sign_of(text: str | None) -> int | None:
    """The number that means agree, as `--vote-sign` says it."""
    sign = None if text is None else SIGNS.get(text.replace(" ", ""))
    if text is not None and sign is None:
        raise InputError(f"--vote-sign {text!r} is unknown", hint="agree=+1 or agree=-1")
    return sign
