"""Times that an export writes twice: `timestamp` in numbers and `datetime` in words. They must agree.

1726860583813   Fri Sep 20 14:29:43 CDT 2024      19:29:43 UTC is 14:29:43 five hours further west
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from solon.collective.conversation import Bools, Ints
from solon.collective.phrases import listed, many
from solon.collective.reading.columns import Columns
from solon.collective.reading.findings import Findings
from solon.collective.reading.index import distinct
from solon.collective.reading.kinds import UNKNOWN

_WIDTH = 28
"""Characters of `Fri Sep 20 14:29:43 CDT 2024`."""
_MONTHS = (b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec")
_DIGITS = (8, 9, 11, 12, 14, 15, 17, 18, 24, 25, 26, 27)
_MARKS = {3: b" ", 7: b" ", 10: b" ", 13: b":", 16: b":", 19: b" ", 23: b" "}
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
    chars = np.ascontiguousarray(written).view("S1").reshape(len(written), -1)
    codes = chars.view(np.uint8)
    known = (chars[:, _WIDTH] == b"") & (chars[:, _WIDTH - 1] != b"")
    for at in _DIGITS:
        known &= (codes[:, at] >= ord("0")) & (codes[:, at] <= ord("9"))
    for at, mark in _MARKS.items():
        known &= chars[:, at] == mark
    names = np.ascontiguousarray(chars[:, 4:7]).view("S3").ravel()
    month = np.zeros(len(written), dtype=np.int64)
    for number, name in enumerate(_MONTHS, start=1):
        month[names == name] = number
    known &= month > 0
    digits = codes.astype(np.int16) - ord("0")
    day, hour, minute, second = ((digits[:, at] * 10 + digits[:, at + 1]).astype(np.int64) for at in (8, 11, 14, 17))
    year = digits[:, 24:28].astype(np.int64) @ np.array([1000, 100, 10, 1])
    known &= (day >= 1) & (day <= 31) & (hour < 24) & (minute < 60) & (second < 61)
    year, month = np.where(known, year, 1970), np.where(known, month, 1)
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days = months.astype("datetime64[D]").astype(np.int64) + np.where(known, day, 1) - 1
    seconds = days * 86_400 + hour * 3600 + minute * 60 + second
    return known, seconds, codes[:, 20:23].astype(np.int64) @ np.array([65536, 256, 1])
