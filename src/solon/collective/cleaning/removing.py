"""Cleaning a conversation by rules: every removal logged with its reason, and what each rule changes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from solon.collective.cleaning.rules import RULES, Evidence, Kind, Rule
from solon.collective.conversation import Bools, Conversation
from solon.collective.opinion.consensus import consensus_of
from solon.collective.opinion.grouping import find_groups
from solon.collective.opinion.likeness import adjusted_rand_index
from solon.collective.opinion.results import Groups
from solon.collective.output import replacing
from solon.collective.phrases import many
from solon.collective.reading.findings import Finding, Import
from solon.collective.reading.folder import CARD, write_import
from solon.collective.tables import write_records
from solon.errors import InputError
from solon.records import Record

REMOVALS, SENSITIVITY = "removals.csv", "sensitivity.csv"
UNTIMED = "the export does not say when votes were cast"


class Removal(Record):
    """One person or statement that one rule removed. Who falls under several rules has a row for each."""

    rule: str
    kind: Kind
    id: int
    value: float
    limit: float
    detail: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Cleaning:
    """A conversation without what the rules removed."""

    conversation: Conversation
    removals: tuple[Removal, ...]
    """By rule in the order given, then by id."""
    not_applied: tuple[str, ...]
    """Rules that could not look, for want of the times of votes."""


class Change(Record):
    """What the result is with some of the rules, against the result with all of them."""

    variant: str
    """`all`, `none`, `without RULE` or `only RULE`."""
    participants: int
    statements: int
    groups: int | None = None
    same_groups: float | None = None
    """Adjusted Rand index of the groups, among people grouped both times; 1: the same."""
    consensus_mean: float | None = None
    """Mean absolute difference in consensus, over the statements kept both times."""
    consensus_max: float | None = None
    consensus_max_statement: int | None = None
    note: str = ""


Opinions = tuple[Groups, dict[int, float]]
"""What a result is measured by: groups, and consensus by statement id."""


def rules_with(limits: Mapping[str, float], *, without: Sequence[str] = (), only: Sequence[str] = ()) -> list[Rule]:
    """The shipped rules, some left out, with limits set by `rule.limit` names such as `speed.seconds`. Raises
    `InputError` for names that no rule and no limit has, and for limits below 0.
    """
    known = f"rules: {', '.join(RULES)}"
    for name in [*without, *only]:
        if name not in RULES:
            raise InputError(f"no rule {name!r}", hint=known)
    rules = {name: rule for name, rule in RULES.items() if name not in without and (not only or name in only)}
    for key, value in limits.items():
        name, _, limit = key.partition(".")
        if name not in RULES:
            raise InputError(f"no rule {name!r} in {key!r}", hint=known)
        if limit not in RULES[name].limits:
            raise InputError(f"{name} has no limit {limit!r}", hint=f"limits: {', '.join(RULES[name].limits)}")
        if not 0 <= value < float("inf"):
            raise InputError(f"{key} must be 0 or more", hint="the limit is a count, a share or a time in seconds")
        if name in rules:
            rules[name] = replace(rules[name], limits={**rules[name].limits, limit: value})
    return list(rules.values())


def clean(conversation: Conversation, rules: Sequence[Rule] = tuple(RULES.values())) -> Cleaning:
    """The conversation without what the rules remove. Each rule looks at the conversation as it came. Raises
    `InputError` if nobody or no statement would be left.
    """
    if not conversation.participants or not conversation.statements:
        raise InputError("the conversation is empty", hint="clean what `solon collect import` wrote of an export")
    evidence = Evidence(conversation)
    able = [rule for rule in rules if conversation.log is not None or not rule.needs_log]
    removals = tuple(
        Removal(rule=rule.name, kind=rule.kind, reason=rule.reason, **flag._asdict())
        for rule in able
        for flag in sorted(rule.find(evidence, **rule.limits))
    )
    people, statements = _kept(conversation, removals)
    if not people.any() or not statements.any():
        worst = Counter(one.rule for one in removals).most_common(1)[0][0]
        what = "no statement" if people.any() else "nobody"
        raise InputError(f"cleaning would leave {what}", hint=f"{worst} removes most: lower its limits or leave it out")
    return Cleaning(
        conversation=conversation.select(participants=people, statements=statements),
        removals=removals,
        not_applied=tuple(rule.name for rule in rules if rule not in able),
    )


def opinions(conversation: Conversation) -> Opinions:
    """Polis's groups, and the geometric mean over them of the smoothed share that agrees.

    The product would be smaller with more groups; only the mean can be compared when their number changes.
    """
    groups = find_groups(conversation, counted=False)
    consensus_S = consensus_of(conversation, groups, draws=0).geometric_S
    ids = conversation.statement_ids.tolist()
    return groups, dict(zip(ids, consensus_S.tolist(), strict=True))


def sensitivity(conversation: Conversation, rules: Collection[str], removals: Sequence[Removal]) -> tuple[Change, ...]:
    """The result with all rules, with none, without each rule, and with each alone, against the one with all.

    `rules`: by name. `removals`: what they remove of the conversation, as `clean` says. A rule that removes nothing is
    measured like any other, at no cost.
    """
    conversation = replace(conversation, log=None)  # which groups do not depend on, and which takes long to select from
    variants: dict[str, Collection[str]] = {"all": rules, "none": ()}
    variants |= {f"without {name}": {*rules} - {name} for name in rules}
    variants |= {f"only {name}": {name} for name in rules}
    done: dict[bytes, Opinions | str] = {}
    changes = []
    for variant, chosen in variants.items():
        people, statements = _kept(conversation, [one for one in removals if one.rule in chosen])
        key = people.tobytes() + statements.tobytes()
        if key not in done:
            try:
                done[key] = opinions(conversation.select(participants=people, statements=statements))
            except InputError as error:
                done[key] = str(error)
        change = Change(variant=variant, participants=int(people.sum()), statements=int(statements.sum()))
        changes.append(change.model_copy(update=_figures(done[key], next(iter(done.values())))))
    return tuple(changes)


def _kept(conversation: Conversation, removals: Sequence[Removal]) -> tuple[Bools, Bools]:
    people = [one.id for one in removals if one.kind == "participant"]
    statements = [one.id for one in removals if one.kind == "statement"]
    return ~np.isin(conversation.participant_ids, people), ~np.isin(conversation.statement_ids, statements)


def _figures(found: Opinions | str, all_: Opinions | str) -> dict[str, object]:
    if isinstance(found, str):
        return {"note": found}
    groups, consensus = found
    if isinstance(all_, str):
        return {"groups": groups.k, "note": f"with all rules: {all_}"}
    both, left, right = np.intersect1d(groups.participant_ids, all_[0].participant_ids, return_indices=True)
    same = adjusted_rand_index(groups.labels_G[left], all_[0].labels_G[right]) if len(both) else None
    figures: dict[str, object] = {"groups": groups.k, "same_groups": same}
    by_id = {one: abs(consensus[one] - all_[1][one]) for one in sorted(consensus.keys() & all_[1].keys())}
    if differences := {one: by for one, by in by_id.items() if np.isfinite(by)}:
        most = max(differences, key=differences.__getitem__)
        figures |= {"consensus_max": differences[most], "consensus_max_statement": most}
        figures["consensus_mean"] = float(np.mean([*differences.values()]))
    return figures


def write_cleaning(
    imported: Import, cleaned: Cleaning, changes: Sequence[Change] | None, out: Path, *, force: bool = False
) -> None:
    """`write_import` with a note on each rule, `removals.csv` and, if measured, `sensitivity.csv`; all or nothing."""
    counts = Counter((one.rule, one.kind) for one in cleaned.removals)
    said = [(rule, f"cleaning removed {many(n, kind)}", f"each is in {REMOVALS}") for (rule, kind), n in counts.items()]
    said += [(rule, f"cleaning rule not applied: {UNTIMED}", "") for rule in cleaned.not_applied]
    notes = [Finding(severity="note", where=rule, what=what, repair=repair) for rule, what, repair in said]
    whole = replace(imported, conversation=cleaned.conversation, findings=(*imported.findings, *notes))
    with replacing(out, marker=CARD, force=force) as folder:
        write_import(whole, folder)
        write_records(folder / REMOVALS, Removal, cleaned.removals)
        if changes is not None:
            write_records(folder / SENSITIVITY, Change, changes)
