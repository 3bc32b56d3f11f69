"""`solon collect clean`: a conversation without what should not count, and what that changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Annotated

import typer
from typer import Option

from solon.cli.collect.options import Folder, OutFolder, say
from solon.collective.cleaning import removing
from solon.collective.cleaning.removing import UNTIMED, Change, Cleaning
from solon.collective.cleaning.rules import Rule
from solon.collective.phrases import many
from solon.collective.reading.folder import open_conversation
from solon.errors import InputError

ALIKE = 0.8
"""Adjusted Rand index from which on groups pass for the same; stability calls groups firm from there on."""


def clean(
    folder: Folder,
    out: OutFolder,
    limits: Annotated[
        list[str] | None,
        Option("--set", metavar="RULE.LIMIT=VALUE", help="Set a limit, such as speed.seconds=2. Repeat for more."),
    ] = None,
    without: Annotated[list[str] | None, Option(metavar="RULE", help="Leave this rule out. Repeat for more.")] = None,
    only: Annotated[list[str] | None, Option(metavar="RULE", help="Apply this rule alone. Repeat for more.")] = None,
    sensitivity: Annotated[bool, Option(help="Measure what each rule changes.")] = True,
    force: Annotated[bool, Option("--force", help="Replace a conversation that you cleaned before.")] = False,
) -> None:
    """Remove people and statements that should not count, and say why.

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
    rules = removing.rules_with(_limits(limits or []), without=without or [], only=only or [])
    imported = open_conversation(folder)
    cleaned = removing.clean(imported.conversation, rules)
    changes = None
    if sensitivity:
        changes = removing.sensitivity(imported.conversation, [rule.name for rule in rules], cleaned.removals)
    removing.write_cleaning(imported, cleaned, changes, out, force=force)
    say(picture(changes or ()) if cleaned.removals else ())
    say(_by_rule(rules, cleaned))
    before, talk = imported.conversation, cleaned.conversation
    typer.echo(
        f"{out}: {len(talk.participants):,} of {len(before.participants):,} participants,"
        f" {len(talk.statements):,} of {len(before.statements):,} statements, {int(talk.seen_PS.sum()):,} votes"
    )
    if cleaned.removals:
        effects = ", sensitivity.csv what each rule changes" if changes else ""
        typer.echo(f"removals.csv says who was removed{effects}: for the organiser only, as the folder is")


def _limits(texts: list[str]) -> dict[str, float]:
    found = {}
    for text in texts:
        key, _, value = text.partition("=")
        try:
            found[key.strip()] = float(value)
        except ValueError:
            hint = "write RULE.LIMIT=NUMBER, as speed.seconds=2"
            raise InputError(f"--set {text!r} is no limit", hint=hint) from None
    return found


def picture(changes: Sequence[Change]) -> Iterator[str]:
    """What cleaning does to the result, and which rules decide it; nothing if it was not measured."""
    if not changes:
        return
    after, before, *others = changes
    if note := after.note or before.note:
        yield f"What cleaning changes could not be measured: {note}"
        return
    if after.groups != before.groups:
        yield f"Cleaning changes the number of opinion groups: {before.groups} before, {after.groups} after."
    else:
        yield f"Opinion groups: {after.groups} before cleaning and after{_of_others(before)}."
    without = {one.variant.removeprefix("without "): one for one in others if one.variant.startswith("without ")}
    for number in sorted({one.groups for one in without.values() if one.groups} - {after.groups or 0}):
        names = [name for name, one in without.items() if one.groups == number]
        yield f"Without the rule {_either(names)} there would be {number}."
    moved = {name: one for name, one in without.items() if one.groups == after.groups and _of_others(one)}
    if moved:
        said = _of_others(*moved.values())
        yield f"Without the rule {_either([*moved])} there would be {after.groups} as well{said}."
    name, most = max(without.items(), key=lambda one: one[1].consensus_max or 0.0)
    if most.consensus_max:
        where = f"{most.consensus_max:.2f} on statement {most.consensus_max_statement}"
        yield f"Consensus changes most without the rule {name}: by {where}."


def _either(names: Sequence[str]) -> str:
    return " or ".join(part for part in (", ".join(names[:-1]), names[-1]) if part)


def _of_others(*changes: Change) -> str:
    """What to add to as many groups that are not the same ones."""
    likeness = sorted(one.same_groups for one in changes if one.same_groups is not None and one.same_groups < ALIKE)
    if not likeness:
        return ""
    shown = " to ".join(dict.fromkeys(f"{one:.2f}" for one in (likeness[0], likeness[-1])))
    return f", but of other people (likeness {shown}; 1: the same, 0: by chance)"


def _by_rule(rules: Sequence[Rule], cleaned: Cleaning) -> Iterator[str]:
    """A line for each rule that removed something, one for all that did not, one for those that could not look."""
    counts = Counter(one.rule for one in cleaned.removals)
    for rule in rules:
        if count := counts[rule.name]:
            whom = many(count, *(("person", "people") if rule.kind == "participant" else ("statement",)))
            yield f"{rule.name}: {whom} removed. {rule.reason}"
    if idle := [rule.name for rule in rules if not counts[rule.name] and rule.name not in cleaned.not_applied]:
        yield f"Removed nothing: {', '.join(idle)}."
    if cleaned.not_applied:
        yield f"Not applied, as {UNTIMED}: {', '.join(cleaned.not_applied)}."
