"""`solon collect import`: a Polis export, checked, as one folder that every other command reads."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from solon.collective.reading.folder import Imported

SIGNS = {"agree=+1": 1, "agree=1": 1, "agree=-1": -1}


def import_(
    export: Annotated[Path, typer.Argument(metavar="DIR", help="The folder of the export.")],
    out: Annotated[Path, typer.Option("-o", "--output", metavar="OUT", help="Folder to write the conversation to.")],
    vote_sign: Annotated[
        str | None,
        typer.Option(metavar="agree=+1|agree=-1", help="Which number means agree, where the export leaves it unclear."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a conversation imported before.")] = False,
) -> None:
    """Import a conversation from Polis: check it, repair what can be, and say what was found.

    Reads comments.csv with participants-votes.csv or votes.csv or both, the server's CSV export, and comments.json with
    votes.json as the server or red-dwarf writes them. Votes become +1 agree, -1 disagree, 0 pass; the sign is checked
    against the export itself.

    \b
      [bold]solon collect import polis-export -o parks[/bold]
      [bold]solon collect import server-export -o parks --vote-sign agree=-1[/bold]
      [bold]solon collect groups parks -o groups.csv[/bold]
    """
    from solon.collective.reading.folder import open_conversation, write_imported

    imported = open_conversation(export, vote_sign=sign_of(vote_sign))
    write_imported(imported, out, force=force)
    _say_findings(imported)
    talk = imported.conversation
    shape = f"{len(talk.participants):,} participants, {len(talk.statements):,} statements"
    typer.echo(f"{out}: {shape}, {int(talk.seen_PS.sum()):,} votes (1 agree, -1 disagree, 0 pass)")
    typer.echo(f"What was found is also in {out / 'findings.csv'}. Next: solon collect groups {out} -o groups.csv")


def _say_findings(imported: Imported) -> None:
    """Findings by severity, the plain ones first, so that what needs a look stands last and is not scrolled away."""
    from solon.text import printable

    headings = (
        ("note", "Read and checked", None),
        ("repair", "Repaired", typer.colors.YELLOW),
        ("warning", "Worth a look: this does not fit together, or is missing", typer.colors.RED),
    )
    for severity, heading, colour in headings:
        found = [one for one in imported.findings if one.severity == severity]
        if found:
            typer.secho(f"{heading} ({len(found)})", fg=colour, bold=True)
        for one in found:
            typer.echo(f"  {printable(' '.join(str(one).split()))}")


def sign_of(text: str | None) -> int | None:
    """The number that means agree, as `--vote-sign` says it."""
    from solon.errors import InputError

    if text is None:
        return None
    if text.replace(" ", "") not in SIGNS:
        raise InputError(f"--vote-sign {text!r} is unknown", hint="agree=+1 or agree=-1")
    return SIGNS[text.replace(" ", "")]
