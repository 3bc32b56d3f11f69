"""The thing that an id stands for, or what to say where it stands for none or for several."""

from __future__ import annotations

from solon.errors import AmbiguousError, Fault, UserError
from solon.report.lineage.rows import Row, RunRows
from solon.text import did_you_mean


def find(rows: RunRows, name: str) -> Row:
    """By id, or by full name where several things have the id. Raises `AmbiguousError` with their full names, or
    `UserError` with the nearest id and an example of every kind."""
    found = [row for row in rows.all if name in (row.id, row.at)]
    found = [row for row in found if not _judged(row, found)]
    if len(found) == 1:
        return found[0]
    raise _several(name, [(row.at, row.kind) for row in found]) if found else UserError(_unknown(rows, name))


def _judged(row: Row, found: list[Row]) -> bool:
    """Whether it is a pair that a comparison stands for as well."""
    return row.kind == "pair" and any(one.kind == "comparison" for one in found)


def _several(name: str, found: list[tuple[str, str]]) -> AmbiguousError:
    what = Fault(f"{len(found)} things are called `{name}`", hint="give the full name of one of these")
    return AmbiguousError([what, *(Fault(f"`{at}`: {kind}") for at, kind in found)], found)


def _unknown(rows: RunRows, name: str) -> Fault:
    examples = {row.kind: row.at for row in reversed(rows.all)}
    kinds = "; ".join(f"{kind}: `{at}`" for kind, at in reversed(examples.items()))
    nearest = did_you_mean(name, dict.fromkeys(each for row in rows.all for each in (row.id, row.at)))
    return Fault(
        f"nothing in {rows.run} has the id `{name}`", hint="; ".join(filter(None, (nearest, f"there are {kinds}")))
    )
