"""Times that an export writes twice: `timestamp` in numbers and `datetime` in words. They must agree.

1726860583813   Fri Sep 20 14:29:43 CDT 2024      19:29:43 UTC is 14:29:43 five hours further west
1726860583813   Fri Sep 20 2024 19:29:43 GMT+0000 (...)                                 as servers write it
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Bools, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.columns import Columns
from solon.collective.reading.exported import distinct
from solon.collective.reading.findings import Findings
from solon.collective.reading.kinds import UNKNOWN

_FORM = b"aaa aaa 00 00:00:00 aaa 0000"
"""`Fri Sep 20 14:29:43 CDT 2024`: 0 is any digit, a any character."""
_OF_SERVERS = [*range(11), *range(16, 25), *range(28, 31), 15, *range(11, 15)]
"""Where the same stands in `Fri Sep 20 2024 19:29:43 GMT+0000`; its zone is three characters of the hours from UTC."""
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_QUARTER = 900
"""Seconds; every zone is whole quarters of an hour away from UTC."""


def check_datetimes(found: Columns, findings: Findings) -> None:
    """A warning where the two differ; a note where the words are of a form that is not known.

    The zone is taken from the rows themselves: all rows that name one zone must be equally far from UTC.
    """
    if "timestamp" not in found or "datetime" not in found:
        return
    both = (found["timestamp"] != UNKNOWN) & (found["datetime"] != b"")
    time, written = found["timestamp"][both], found["datetime"][both]
    if not len(time):
        return
    known, seconds, zones = _read(written)
    if not known.any():
        findings.note(found.path, "datetime is of a form that is not known, and was not compared with timestamp")
        return
    apart = seconds - time // 1000
    wrong = ~known
    for zone in distinct(zones[known]):
        rows = known & (zones == zone)
        offsets, counts = np.unique(apart[rows], return_counts=True)
        offset = offsets[np.argmax(counts)]
        wrong |= rows & ((apart != offset) if offset % _QUARTER == 0 else True)
    if wrong.any():
        # Named as they stand in the file; its lines would change with the order of its rows.
        stated = (time[wrong] // (1000 if found.in_seconds else 1)).tolist()
        what = f"timestamp and datetime differ in {many(len(stated), 'row')}: timestamp {listed(stated)}"
        findings.warning(found.path, what, "timestamp counts")


def _read(written: NDArray[np.bytes_]) -> tuple[Bools, Ints, Ints]:
    """Which rows have the known form, their seconds since 1970 as if in UTC, and a number for their zone's name."""
    cells = np.ascontiguousarray(written).view(np.uint8).reshape(len(written), -1)
    ours = (cells[:, 25:28] == np.frombuffer(b"GMT", dtype=np.uint8)).all(axis=1)
    cells = np.pad(cells, ((0, 0), (0, 1)))
    cells[ours, : len(_FORM)], cells[ours, len(_FORM)] = cells[ours][:, _OF_SERVERS], 0
    months = np.ascontiguousarray(cells[:, 4:7]).view("S3").ravel()
    month = sum((months == name) * number for number, name in enumerate(_MONTHS, start=1))

    def number(at: int, width: int = 2) -> Ints:
        return (cells[:, at : at + width].astype(np.int64) - ord("0")) @ 10 ** np.arange(width)[::-1]

    known = (month > 0) & (cells[:, len(_FORM) - 1] > 0) & (cells[:, len(_FORM)] == 0)
    for at, mark in enumerate(_FORM):
        if mark == ord("0"):
            known &= (cells[:, at] >= ord("0")) & (cells[:, at] <= ord("9"))
        elif mark != ord("a"):
            known &= cells[:, at] == mark
    day, hour, minute, second = map(number, (8, 11, 14, 17))
    known &= (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60) & (second < 61)
    since_1970 = np.where(known, (number(24, 4) - 1970) * 12 + month - 1, 0).astype("datetime64[M]")
    days = since_1970.astype("datetime64[D]").astype(np.int64) + day - 1
    zone = cells[:, 20:23].astype(np.int64) @ np.array([65536, 256, 1])
    return known, days * 86_400 + hour * 3600 + minute * 60 + second, zone
