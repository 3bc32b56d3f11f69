"""Opinion groups that somebody gives: a table of participants and groups, or what the export says."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from solon.collective.conversation import Conversation, Ints
from solon.collective.csv_text import Faults, shown
from solon.collective.opinion.counts import labels_of
from solon.collective.opinion.likeness import Likeness, compare
from solon.collective.opinion.polis.clusters import votes_to_be_grouped
from solon.collective.opinion.results import Groups
from solon.collective.phrases import many
from solon.collective.tables import read_csv
from solon.errors import InputError, Where

FOUND, EXPORTED = "found", "exported"
"""Words that stand for groups where a file could be named."""


def given_groups(wanted: str, conversation: Conversation) -> Groups | None:
    """The groups that `wanted` names: `exported`, or a table. None for `found`: they are not given but to be found.
    Raises `InputError` as `exported_groups` and `groups_from_file`.
    """
    if wanted == FOUND:
        return None
    return exported_groups(conversation) if wanted == EXPORTED else groups_from_file(Path(wanted), conversation)


def groups_from_file(path: Path, conversation: Conversation) -> Groups:
    """The groups in a table with the columns `participant` (or `xid`) and `group`, as `solon collect groups` writes it.

    Rows with an empty group are people in none. Raises InputError for participants that the conversation does not have,
    for one that stands there twice, and for a table without groups.
    """
    table = read_csv(path)
    key = "xid" if "xid" in table.header and "participant" not in table.header else "participant"
    table.require(key, "group")
    known = set(conversation.participant_ids.tolist())
    of_xid = {one.xid: one.id for one in conversation.participants if one.xid}
    found: dict[int, str] = {}
    faults = Faults(path)
    for row in table:
        number = row.integer(key) if key == "participant" else of_xid.get(row[key].strip(), -1)
        if number not in known:
            hint = "the table belongs to another conversation"
            faults.add(row.where.line or 0, f"the conversation has no such {key}", row[key], hint=hint)
        elif number in found:
            faults.add(row.where.line or 0, f"a {key} stands here twice", row[key], hint="keep one of the rows")
        found[number] = row["group"].strip()
    faults.raise_any(len(table))
    return named_groups(found, conversation, Where(path), "given", f"Groups as given in {path.name}.")


def exported_groups(conversation: Conversation) -> Groups:
    """The groups of the export itself. Raises InputError if it has none."""
    found = {one.id: one.exported_group or "" for one in conversation.participants}
    where = Where(conversation.source or "the export")
    return named_groups(found, conversation, where, EXPORTED, "Groups as the export has them.")


def active_apart(conversation: Conversation, grouped_ids: Ints) -> int:
    """People in no group who voted often enough for Polis to put them in one: too few votes are not the reason."""
    able_P = conversation.n_votes_P >= votes_to_be_grouped(conversation)
    return int((able_P & ~np.isin(conversation.participant_ids, grouped_ids)).sum())


class Beside(Likeness):
    """The grouping of the export beside another one."""

    k: int
    """Groups that the export names."""


def exported_beside(conversation: Conversation, groups: Groups) -> Beside | None:
    """The export's own grouping beside `groups`; None if it has none, or nobody is in both."""
    try:
        theirs = exported_groups(conversation)
        found = compare(conversation, labels_of(conversation, groups), labels_of(conversation, theirs))
    except InputError:
        return None
    return Beside(k=theirs.k, **found.model_dump())


def number_of_groups(conversation: Conversation, groups: Groups) -> str:
    """A line on why there are so many groups: the tries that chose their number, and what the export has."""
    said = f"number of groups: {groups.k}"
    if tries := sum(groups.tries.values()):
        others = ", ".join(f"{k} in {count}" for k, count in groups.tries.items() if k != groups.k)
        said += f", chosen in {groups.tries.get(groups.k, 0)} of {tries} tries" + (f" ({others})" if others else "")
    if groups.method != EXPORTED and (beside := exported_beside(conversation, groups)):
        people = many(beside.people, "person", "people")
        said += f"; the export has {beside.k}, and {beside.kept_share:.0%} of {people} are in the same group there"
    return said


def named_groups(found: Mapping[int, str], conversation: Conversation, where: Where, method: str, note: str) -> Groups:
    """Groups by the name that each participant of the conversation has; an empty one is none."""
    names = sorted({name for name in found.values() if name}, key=numeric_first)
    if not names:
        hint = "name the column of groups, or a table with --groups FILE; in a folder they can be found instead"
        raise InputError("names no opinion groups", where=where, hint=hint)
    if len(names) > 50:
        raise InputError(
            f"names {len(names)} groups, such as {shown(names[0])}",
            where=where,
            hint="an opinion group is named once for all its members; is this the right column?",
        )
    members = sorted(number for number, name in found.items() if name)
    ids = np.array(members, dtype=np.int64)
    return Groups(
        participant_ids=ids,
        labels_G=np.array([names.index(found[number]) for number in members], dtype=np.int64),
        names=tuple(names),
        silhouettes={},
        method=method,
        notes=(note, *_coverage(conversation, ids)),
    )


def _coverage(conversation: Conversation, grouped_ids: Ints) -> Iterator[str]:
    """One sentence where voters are in no group: how many, and whether that is for want of votes."""
    voters = conversation.participant_ids[conversation.n_votes_P > 0]
    if apart := len(voters) - int(np.isin(voters, grouped_ids).sum()):
        yield (
            f"These groups leave out {apart:,} of the {len(voters):,} people who voted; "
            f"{active_apart(conversation, grouped_ids):,} of them voted on {votes_to_be_grouped(conversation)} "
            "statements or more. Nothing that is said of groups holds for them."
        )


def numeric_first(name: str) -> tuple[int, float, str]:
    """Sort key for group names: numbers by value, then words by alphabet.

    >>> sorted(["b", "10", "9", "a"], key=numeric_first)
    ['9', '10', 'a', 'b']
    """
    # Not whatever `float` takes: with `nan` among them, names would have no order.
    return (0, float(name), name) if re.fullmatch(r"-?[0-9]{1,300}(\.[0-9]+)?", name) else (1, 0.0, name)
