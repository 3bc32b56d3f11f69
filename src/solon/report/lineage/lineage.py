"""A thing of a run with all that it comes from and all that came of it."""

from __future__ import annotations

from pathlib import Path

from solon.report.lineage.back import Back
from solon.report.lineage.describe import thing
from solon.report.lineage.find import find
from solon.report.lineage.forward import Forward
from solon.report.lineage.records import Lineage
from solon.report.lineage.rows import RunRows


def lineage(run: Path, name: str, *, most: int, constitution: Path | None = None) -> Lineage:
    """`name`: an id or a full name. `most`: things that a step shows; it counts all.

    Raises `RunError` if a folder holds no run or a file is not what its stage made; `AmbiguousError` if the name stands
    for several things; `UserError` if it stands for nothing, or no trace lies beside `constitution`.
    """
    rows = RunRows(run, constitution)
    row = find(rows, name)
    back, forward = Back(rows, most).of(row), Forward(rows, most).of(row)
    return Lineage(
        run=str(run),
        thing=thing(rows, row),
        back=tuple(back),
        forward=tuple(forward),
        notes=tuple(dict.fromkeys(rows.notes)),
    )
