"""Mathematics that a Polis server stored (`math-pca2.json`): its groups, axes, and what it counted.

Only what is used is read, everything else in the file is ignored. Groups name base clusters as members, which in turn
name people; base clusters stand in columns, one list per property, or in rows. How it is laid over the votes of a
conversation is in `opinion.polis.matching`.

Groups and axes are needed, and a fault in them is an error. Results (consensus, priorities, extremity, places) are
computed anew and only compared, in `opinion.polis.agreement`; one that is in an unknown form is read as empty, a value
that is no number as NaN.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import numpy as np
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    FiniteFloat,
    ValidationError,
    ValidatorFunctionWrapHandler,
    WrapValidator,
    model_validator,
)

from solon.collective.conversation import Floats, Ints
from solon.errors import Fault, InputError, Where

MAX_FAULTS = 5
"""Faults reported for one file."""


class _Part(BaseModel):
    """A part of a foreign file: unknown keys are no fault."""

    model_config = ConfigDict(extra="ignore", frozen=True)


def _number(value: Any) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else math.nan


def _or_empty(kind: Callable[[], Any]) -> WrapValidator:
    """What is in an unknown form is empty."""

    def read(value: Any, whole: ValidatorFunctionWrapHandler) -> Any:
        try:
            return whole(value)
        except ValidationError:
            return kind()

    return WrapValidator(read)


Number = Annotated[float, BeforeValidator(_number)]
ByStatement = Annotated[dict[int, Number], _or_empty(dict)]


class _Axes(_Part):
    center: list[FiniteFloat]
    comps: list[list[FiniteFloat]]
    extremity: Annotated[list[Number], _or_empty(list)] | None = Field(None, alias="comment-extremity")
    """Per statement, in the order of `tids`."""
    places: Annotated[list[list[Number]], _or_empty(list)] | None = Field(None, alias="comment-projection")
    """Per axis and statement."""


class _Cluster(_Part):
    id: int
    members: list[int]


class _Tally(_Part):
    agrees: int = Field(0, alias="A")
    disagrees: int = Field(0, alias="D")
    seen: int = Field(0, alias="S")


class _GroupVotes(_Part):
    votes: dict[int, _Tally] = {}


def _in_rows(clusters: Any) -> Any:
    """Clusters, one object each; stored as columns they are turned."""
    if not isinstance(clusters, dict):
        return clusters
    ids, members = clusters.get("id"), clusters.get("members")
    if not isinstance(ids, list) or not isinstance(members, list) or len(ids) != len(members):
        raise ValueError("columns `id` and `members` must be lists of one length")
    return [{"id": one, "members": people} for one, people in zip(ids, members, strict=True)]


def _or_nothing(value: Any) -> Any:
    return {} if value is None else value


class StoredMathematics(_Part):
    """What the file says, in its own sign of votes. T statements, in the order of `statement_ids`."""

    statement_ids: list[int] = Field(alias="tids")
    axes: _Axes = Field(alias="pca")
    base_clusters: Annotated[list[_Cluster], BeforeValidator(_in_rows)] = Field(alias="base-clusters")
    group_clusters: Annotated[list[_Cluster], BeforeValidator(_in_rows)] = Field(alias="group-clusters", min_length=1)
    mod_out: list[int] | None = Field(None, alias="mod-out")
    """Statements that it set to a pass by everybody: rejected, or about the conversation. None: not said."""
    meta: list[int] | None = Field(None, alias="meta-tids")
    """Statements about the conversation itself. None: not said."""
    vote_counts: Annotated[dict[int, int], BeforeValidator(_or_nothing)] = Field({}, alias="user-vote-counts")
    """Statements voted on, by participant."""
    group_votes: Annotated[dict[int, _GroupVotes], BeforeValidator(_or_nothing)] = Field({}, alias="group-votes")
    consensus: ByStatement | None = Field(None, alias="group-aware-consensus")
    priorities: ByStatement | None = Field(None, alias="comment-priorities")

    @model_validator(mode="after")
    def _fit(self) -> StoredMathematics:
        count = len(self.statement_ids)
        if len(set(self.statement_ids)) < count:
            raise ValueError("`tids` names a statement twice")
        if len(self.axes.center) != count or any(len(one) != count for one in self.axes.comps):
            raise ValueError(f"`pca.center` and `pca.comps` need {count} numbers each, one per statement in `tids`")
        known = {one.id for one in self.base_clusters}
        if lost := [one.id for one in self.group_clusters if not set(one.members) <= known]:
            raise ValueError(f"group {lost[0]} has a member that is no base cluster")
        taken = [member for one in self.group_clusters for member in one.members]
        people = [person for one in self.base_clusters for person in one.members]
        numbers, bases = [one.id for one in self.group_clusters], [one.id for one in self.base_clusters]
        if any(len(set(ids)) < len(ids) for ids in (taken, people, numbers, bases)):
            raise ValueError("a group, a base cluster or a participant stands in two places")
        return self

    @property
    def ids_T(self) -> Ints:
        return np.array(self.statement_ids, dtype=np.int64)

    @property
    def centre_T(self) -> Floats:
        return np.array(self.axes.center, dtype=np.float64)

    @property
    def components_2T(self) -> Floats:
        """An axis that is not there is zero."""
        rows = [*self.axes.comps, *([[0.0] * len(self.statement_ids)] * 2)][:2]
        return np.array(rows, dtype=np.float64).reshape(2, -1)

    @property
    def groups(self) -> dict[int, list[int]]:
        """Participant ids by group number, both ascending."""
        people = {one.id: one.members for one in self.base_clusters}
        numbered = sorted(self.group_clusters, key=lambda one: one.id)
        return {one.id: sorted({person for base in one.members for person in people[base]}) for one in numbered}


def read_stored(path: Path) -> StoredMathematics:
    """Read `math-pca2.json`.

    Raises:
        InputError: if it is no such file, or lacks what groups and axes need; one fault per key.
    """
    hint = "give the server's math-pca2.json, whole"
    try:
        blob = json.loads(path.read_bytes())
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=Where(path)) from error
    except json.JSONDecodeError as error:
        raise InputError(f"not JSON: {error.msg}", where=Where(path, error.lineno), hint=hint) from None
    except (UnicodeDecodeError, RecursionError):
        raise InputError("not JSON", where=Where(path), hint=hint) from None
    if not isinstance(blob, dict):
        raise InputError("not stored mathematics: no JSON object", where=Where(path), hint=hint)
    try:
        return StoredMathematics.model_validate(blob)
    except ValidationError as error:
        faults = [Fault(_said(one), Where(path), hint) for one in error.errors()[:MAX_FAULTS]]
        raise InputError(faults) from None


def _said(error: Any) -> str:
    """One fault of the file in a line."""
    place = ".".join(str(step)[:40] for step in error["loc"])
    what = str(error["msg"]).removeprefix("Value error, ")
    return f"`{place}`: {what[:200]}" if place else what
