"""Mathematics that a Polis server stored (`math-pca2.json`): what it says, and what an import takes from it.

Groups name base clusters as members, which in turn name people; base clusters stand in columns, one list per property,
or in rows.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, FiniteFloat, ValidationError, model_validator

from solon.collective.csv_text import as_integer
from solon.collective.phrases import listed, many
from solon.collective.reading.exported import ExportedVotes
from solon.collective.reading.findings import Findings
from solon.collective.reading.sources import json_object
from solon.errors import Fault, InputError, Where

Numbers = dict[int, FiniteFloat | None]


class _Part(BaseModel):
    """A part of a foreign file: unknown keys are no fault."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class _Axes(_Part):
    center: list[FiniteFloat]
    comps: list[list[FiniteFloat]]
    extremity: list[FiniteFloat | None] = Field([], alias="comment-extremity")
    """Per statement, in the order of `tids`."""


class _Cluster(_Part):
    id: int
    members: list[int]


def _in_rows(clusters: Any) -> Any:
    """Clusters, one object each; stored as columns they are turned."""
    if isinstance(clusters, dict) and all(isinstance(clusters.get(key), list) for key in ("id", "members")):
        columns = zip(clusters["id"], clusters["members"], strict=True)
        return [{"id": one, "members": people} for one, people in columns]
    return clusters


class StoredMathematics(_Part):
    """What the file says, in its own sign of votes."""

    statement_ids: list[int] = Field(alias="tids")
    axes: _Axes = Field(alias="pca")
    base_clusters: Annotated[list[_Cluster], BeforeValidator(_in_rows)] = Field(alias="base-clusters")
    group_clusters: Annotated[list[_Cluster], BeforeValidator(_in_rows)] = Field(alias="group-clusters", min_length=1)
    mod_out: list[int] | None = Field(None, alias="mod-out")
    """Statements that it set to a pass by everybody: rejected, or about the conversation. None: not said."""
    meta: list[int] | None = Field(None, alias="meta-tids")
    """Statements about the conversation itself. None: not said."""
    consensus: Numbers = Field({}, alias="group-aware-consensus")
    priorities: Numbers = Field({}, alias="comment-priorities")

    @model_validator(mode="after")
    def _fit(self) -> StoredMathematics:
        count = len(self.statement_ids)
        if len(set(self.statement_ids)) < count:
            raise ValueError("`tids` names a statement twice")
        lists = [self.axes.center, *self.axes.comps]
        if any(len(one) != count for one in lists) or len(self.axes.extremity) not in (0, count):
            raise ValueError(f"`pca` needs {count} numbers in each of its lists, one per statement in `tids`")
        known = {one.id for one in self.base_clusters}
        if lost := [one.id for one in self.group_clusters if not set(one.members) <= known]:
            raise ValueError(f"group {lost[0]} has a member that is no base cluster")
        for clusters in (self.base_clusters, self.group_clusters):
            members = [member for one in clusters for member in one.members]
            if len({one.id for one in clusters}) < len(clusters) or len(set(members)) < len(members):
                raise ValueError("a group, a base cluster or a participant stands in two places")
        return self

    @property
    def group_of(self) -> dict[int, str]:
        """Of each participant who is in one."""
        people = {one.id: one.members for one in self.base_clusters}
        return {person: str(one.id) for one in self.group_clusters for base in one.members for person in people[base]}


def read_stored(path: Path) -> StoredMathematics:
    """The file; `InputError`, with a fault per key, if it is no such file, or lacks what groups and axes need."""
    try:
        return StoredMathematics.model_validate(json_object(path))
    except ValidationError as error:
        hint = "give the server's math-pca2.json, whole"
        told = [(".".join(map(str, one["loc"])) or "tids", one["msg"]) for one in error.errors()]
        raise InputError([Fault(f"`{place}`: {what}"[:200], Where(path), hint) for place, what in told[:5]]) from None


def stored_groups(path: Path, events: ExportedVotes, findings: Findings) -> dict[int, str]:
    """The stored group of each voter who is in one. How often each voted is said there a second time, and compared."""
    said, pairs = json_object(path), np.unique(np.stack([events.participant, events.statement]), axis=1)
    people, votes = np.unique(pairs[0], return_counts=True)
    have = {str(person): int(count) for person, count in zip(people, votes, strict=True)}
    counts = said.get("user-vote-counts")
    if not isinstance(counts, dict):
        findings.note(path, "no user-vote-counts, and so nothing to compare the voters with")
    elif wrong := [name for name in have.keys() | counts.keys() if have.get(name, 0) != counts.get(name, 0)]:
        ids = [number for name in wrong if (number := as_integer(str(name))) is not None]
        what = f"user-vote-counts does not fit for {many(len(wrong), 'participant')}: {listed(ids)}"
        findings.warning(path, what, "the votes count; the mathematics may be older")
    if "group-clusters" not in said:
        return {}
    try:
        found = read_stored(path).group_of
    except InputError as error:
        findings.warning(path, f"its groups cannot be read: {error.faults[0].what}", "no exported groups")
        return {}
    others = sorted(found.keys() - set(people.tolist()))
    findings.of_ids("note", path, "participant", others, "{} of its groups without any vote here")
    return {person: name for person, name in found.items() if person not in others}
