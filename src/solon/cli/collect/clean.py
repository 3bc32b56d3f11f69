"""`solon collect clean`: a conversation without what should not count, and what that changes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from solon.cli.collect.options import FOLDER

if TYPE_CHECKING:
    from solon.collective.cleaning.removing import Change, Cleaned
    from solon.collective.cleaning.rules import Rule

OUT = typer.Option("-o", "--output", metavar="OUT", help="Folder to write the cleaned conversation to.")
SET = typer.Option("--set", metavar="RULE.LIMIT=VALUE", help="A limit, such as speed.seconds=2; may be repeated.")
WITHOUT = typer.Option("--without", metavar="RULE", help="Leave a rule out; may be repeated.")
ONLY = typer.Option("--only", metavar="RULE", help="Apply no other rules; may be repeated.")
SENSITIVITY = typer.Option("--sensitivity/--no-sensitivity", help="Measure what each rule changes.")
FORCE = typer.Option("--force", help="Replace a conversation written before.")


def clean(
    folder: Annotated[Path, FOLDER],
    out: Annotated[Path, OUT],
    limits: Annotated[list[str] | None, SET] = None,
    without: Annotated[list[str] | None, WITHOUT] = None,
    only: Annotated[list[str] | None, ONLY] = None,
    measured: Annotated[bool, SENSITIVITY] = True,
    force: Annotated[bool, FORCE] = False,
) -> None:
    """Remove people and statements that should not count, with a reason for each.

    \b
    The rules, and their limits:
      minimum-votes        votes=7
      same-answer          votes=15, share=0.95, chance=0.001
      long-runs            votes=15, chance=0.001                         needs vote times
      speed                votes=10, seconds=1.5                          needs vote times
      spam-authors         rejected=7, share=0.8
      identical-votes      votes=10, chance=0.001
      bursts               people=3, seconds=60, common=10, chance=0.001  needs vote times
      repeated-statements  edits=1

    OUT is a conversation that every other command reads, with removals.csv (who and what was removed, by which
    rule, why) and sensitivity.csv (groups and consensus with each rule left out, and with each alone). Both are
    for the organiser: they name participants by number. No rule proves bad faith; look at what it changes.

    \b
      [bold]solon collect clean parks -o parks-clean[/bold]
      [bold]solon collect clean parks -o parks-clean --set minimum-votes.votes=20 --without speed[/bold]
      [bold]solon collect clean parks -o parks-clean --only spam-authors --no-sensitivity[/bold]
    """
    from solon.collective.cleaning.files import write_cleaned
    from solon.collective.cleaning.removing import clean as cleaned_of
    from solon.collective.cleaning.removing import rules_with, sensitivity
    from solon.collective.reading.folder import open_conversation

    rules = rules_with(_limits(limits or []), without=without or [], only=only or [])
    imported = open_conversation(folder)
    cleaned = cleaned_of(imported.conversation, rules)
    changes = sensitivity(imported.conversation, [rule.name for rule in rules], cleaned.removals) if measured else None
    write_cleaned(imported, cleaned, changes, out, force=force)
    _say(rules, cleaned)
    for change in changes or ():
        typer.echo(_line(change), err=True)
    talk = cleaned.conversation
    shape = f"{len(talk.participants):,} of {len(imported.conversation.participants):,} participants"
    typer.echo(
        f"{out}: {shape}, {len(talk.statements):,} of {len(imported.conversation.statements):,} statements,"
        f" {int(talk.seen_PS.sum()):,} votes"
    )


def _limits(texts: list[str]) -> dict[str, float]:
    from solon.errors import InputError

    found = {}
    for text in texts:
        key, _, value = text.partition("=")
        try:
            found[key.strip()] = float(value)
        except ValueError:
            raise InputError(
                f"--set {text!r} is no limit", hint="write RULE.LIMIT=NUMBER, as speed.seconds=2"
            ) from None
    return found


def _say(rules: list[Rule], cleaned: Cleaned) -> None:
    for rule in rules:
        count = sum(one.rule == rule.name for one in cleaned.removals)
        if why := cleaned.not_applied.get(rule.name):
            typer.echo(f"{rule.name}: not applied, {why}")
        else:
            typer.echo(f"{rule.name}: {count} removed{f'. {rule.reason}' if count else ''}")


def _line(change: Change) -> str:
    if change.note:
        return f"{change.variant}: {change.participants} participants: {change.note}"
    alike = "" if change.same_groups is None else f", {change.same_groups:.2f} alike"
    moved = "" if change.consensus_max is None else f", consensus moves {change.consensus_max:.3f} at most"
    return f"{change.variant}: {change.participants} participants, {change.groups} groups{alike}{moved}"
