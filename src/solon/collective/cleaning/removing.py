"""Cleaning a conversation by rules: every removal logged with its reason, and what each rule changes.

The rules are in `cleaning.rules`. None of them proves that somebody acted in bad faith; they say what would
not count, and `sensitivity` says whether that matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from solon.collective.cleaning.rules import RULES, Flag, Rule
from solon.collective.conversation import Bools, Conversation, Floats
from solon.collective.opinion.results import Groups
from solon.errors import InputError
from solon.records import Record


class Removal(Record):
    """One person or statement that one rule removed. Who falls under several rules has a row for each."""

    rule: str
    kind: Literal["participant", "statement"]
    id: int
    value: float
    """What was measured."""
    limit: float
    """What it was compared with."""
    detail: str
    reason: str


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """A conversation without what the rules removed."""

    conversation: Conversation
    removals: tuple[Removal, ...]
    """By rule in the order given, then people before statements, then by id."""
    not_applied: dict[str, str]
    """Rules that could not look, each with the reason."""


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
    """The statement that changes most."""
    note: str = ""
    """Why there are no figures."""


@dataclass(frozen=True, kw_only=True)
class Opinions:
    """What a result is measured by."""

    groups: Groups
    consensus: dict[int, float]
    """By statement id."""


Measure = Callable[[Conversation], Opinions]


def rules_with(limits: Mapping[str, float], *, without: Sequence[str] = (), only: Sequence[str] = ()) -> list[Rule]:
    """The shipped rules, some left out, with limits set by `rule.limit` names such as `speed.seconds`.

    Raises:
        InputError: for names that no rule and no limit has, and for limits below 0.
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


def clean(conversation: Conversation, rules: Sequence[Rule] = tuple(RULES.values())) -> Cleaned:
    """The conversation without what the rules remove. Each rule looks at the conversation as it came.

    Raises:
        InputError: if nobody or no statement would be left.
    """
    flags, not_applied = _flags(conversation, rules)
    removals = tuple(
        Removal(rule=rule.name, reason=rule.reason, **flag._asdict())
        for rule in rules
        for flag in sorted(flags.get(rule.name, ()), key=lambda one: (one.kind, one.id))
    )
    people, statements = _kept(conversation, [flag for found in flags.values() for flag in found])
    if not len(people) or not len(statements):
        raise InputError("the conversation is empty", hint="clean what `solon collect import` wrote of an export")
    if not people.any() or not statements.any():
        worst = max(flags, key=lambda name: len(flags[name]), default="")
        what = "nobody" if not people.any() else "no statement"
        raise InputError(f"cleaning would leave {what}", hint=f"{worst} removes most: lower its limits or leave it out")
    return Cleaned(
        conversation=conversation.select(participants=people, statements=statements),
        removals=removals,
        not_applied=not_applied,
    )


def opinions(conversation: Conversation) -> Opinions:
    """Polis's groups, and the geometric mean over them of the smoothed share that agrees."""
    from solon.collective.opinion.analysis import find_groups
    from solon.collective.opinion.consensus import geometric_mean, group_aware_consensus, group_consensus
    from solon.collective.opinion.counts import labels_of

    groups = find_groups(conversation)
    groups_KS = group_consensus(conversation.votes_PS, conversation.seen_PS, labels_of(conversation, groups))
    # The product is smaller with more groups; only the mean can be compared when their number changes.
    consensus_S = geometric_mean(group_aware_consensus(groups_KS), groups.k)
    ids = conversation.statement_ids.tolist()
    return Opinions(groups=groups, consensus=dict(zip(ids, consensus_S.tolist(), strict=True)))


def sensitivity(
    conversation: Conversation, rules: Sequence[Rule] = tuple(RULES.values()), measure: Measure = opinions
) -> tuple[Change, ...]:
    """The result with all rules, with none, without each rule, and with each alone, against the one with all.

    A rule that removes nothing is measured like any other, at no cost.
    """
    flags, _ = _flags(conversation, rules)
    names = [rule.name for rule in rules]
    variants: dict[str, list[str]] = {"all": names, "none": []}
    variants |= {f"without {name}": [one for one in names if one != name] for name in names}
    variants |= {f"only {name}": [name] for name in names}
    done: dict[bytes, Opinions | str] = {}
    reference: Opinions | str = ""
    changes = []
    for variant, chosen in variants.items():
        people, statements = _kept(conversation, [flag for name in chosen for flag in flags.get(name, ())])
        key = people.tobytes() + statements.tobytes()
        if key not in done:
            done[key] = _measured(conversation, people, statements, measure)
        if variant == "all":
            reference = done[key]
        changes.append(_change(variant, int(people.sum()), int(statements.sum()), done[key], reference))
    return tuple(changes)


def _flags(conversation: Conversation, rules: Sequence[Rule]) -> tuple[dict[str, list[Flag]], dict[str, str]]:
    flags, not_applied = dict[str, list[Flag]](), dict[str, str]()
    for rule in rules:
        if rule.needs_log and conversation.log is None:
            not_applied[rule.name] = "the export does not say when votes were cast"
        else:
            flags[rule.name] = rule.find(conversation, rule.limits)
    return flags, not_applied


def _kept(conversation: Conversation, flags: Sequence[Flag]) -> tuple[Bools, Bools]:
    """People and statements that no flag concerns."""
    people = [flag.id for flag in flags if flag.kind == "participant"]
    statements = [flag.id for flag in flags if flag.kind == "statement"]
    return ~np.isin(conversation.participant_ids, people), ~np.isin(conversation.statement_ids, statements)


def _measured(conversation: Conversation, people: Bools, statements: Bools, measure: Measure) -> Opinions | str:
    if not people.any() or not statements.any():
        return "nothing is left"
    try:
        return measure(conversation.select(participants=people, statements=statements))
    except InputError as error:
        return str(error)


def _change(variant: str, participants: int, statements: int, found: Opinions | str, all_: Opinions | str) -> Change:
    head = {"variant": variant, "participants": participants, "statements": statements}
    if isinstance(found, str):
        return Change.model_validate({**head, "note": found})
    if isinstance(all_, str):
        return Change.model_validate({**head, "groups": found.groups.k, "note": f"with all rules: {all_}"})
    common = sorted(found.consensus.keys() & all_.consensus.keys())
    differences: Floats = np.abs([found.consensus[one] - all_.consensus[one] for one in common])
    known = np.flatnonzero(np.isfinite(differences))
    most = int(known[np.argmax(differences[known])]) if known.size else None
    return Change(
        variant=variant,
        participants=participants,
        statements=statements,
        groups=found.groups.k,
        same_groups=_same_groups(found.groups, all_.groups),
        consensus_mean=float(differences[known].mean()) if known.size else None,
        consensus_max=None if most is None else float(differences[most]),
        consensus_max_statement=None if most is None else common[most],
    )


def _same_groups(one: Groups, other: Groups) -> float | None:
    from sklearn.metrics import adjusted_rand_score

    _, left, right = np.intersect1d(one.participant_ids, other.participant_ids, return_indices=True)
    return float(adjusted_rand_score(one.labels_G[left], other.labels_G[right])) if len(left) else None
