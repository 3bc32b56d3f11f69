"""The votes of an export one by one, re-votes included."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from solon.collective.conversation import Participant
from solon.collective.csv_text import Faults
from solon.collective.phrases import listed, many
from solon.collective.reading.columns import Columns, read_columns
from solon.collective.reading.datetimes import check_datetimes
from solon.collective.reading.exported import XID_KEPT, ExportedVotes
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import UNKNOWN
from solon.collective.reading.names import VOTES


def read_votes(path: Path, findings: Findings) -> tuple[ExportedVotes, tuple[Participant, ...], bool]:
    """Votes in file order, the people whose external ids are told with them, and whether times are in seconds."""
    found = read_columns(path, VOTES, findings)
    check_datetimes(found, findings)
    time = found.values.get("timestamp")
    if time is not None and (time == UNKNOWN).all():
        time = None
    important = found.values.get("important")
    votes = ExportedVotes(
        path=path,
        participant=found["voter-id"],
        statement=found["comment-id"],
        vote=found["vote"].astype(np.int8),
        time=time,
        line=found.lines,
        important=None if important is None or (important == UNKNOWN).all() else important == 1,
    )
    if time is not None:
        _refuse_untimed(found)
    return votes, _external(found, findings), found.in_seconds


def _refuse_untimed(found: Columns) -> None:
    """Of two votes the later counts, so that either all have a time or none."""
    faults = Faults(found.path, found.unit)
    for line in found.lines[found["timestamp"] == UNKNOWN].tolist():
        faults.add(line, f"{found.named['timestamp']} is empty")
    faults.raise_any(len(found))


def _external(found: Columns, findings: Findings) -> tuple[Participant, ...]:
    """Those whose votes bear an external id. Who has several is not told by any of them."""
    names: dict[int, set[str]] = {}
    for person, xid in zip(found.get("voter-id"), found.get("xid"), strict=True) if "xid" in found else ():
        if xid:
            names.setdefault(person, set()).add(xid)
    if not names:
        return ()
    findings.note(found.path, f"external ids (xid) of {many(len(names), 'participant')}: {XID_KEPT}")
    if several := sorted(person for person, told in names.items() if len(told) > 1):
        what = f"{many(len(several), 'participant')} with more than one external id: {listed(several)}"
        findings.warning(found.path, what, "none of them is kept")
    return tuple(Participant(id=person, xid=min(told)) for person, told in sorted(names.items()) if len(told) == 1)
