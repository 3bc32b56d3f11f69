"""What a claim's script records: one line of JSON for each peer, in `bench/results.jsonl`."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Literal

from solon.records import Record

RESULTS = Path(__file__).resolve().parents[2] / "results.jsonl"


class Bound(Record):
    """What is promised of a ratio, e.g. at least 3, or within 0.15 of 1."""

    kind: Literal["at least", "at most", "within"]
    ratio: float

    def __str__(self) -> str:
        return f"within {self.ratio:.0%}" if self.kind == "within" else f"{self.kind} {self.ratio:g}"

    def holds(self, ratio: float) -> bool:
        if self.kind == "within":
            return abs(ratio - 1.0) <= self.ratio
        return ratio >= self.ratio if self.kind == "at least" else ratio <= self.ratio


def at_least(ratio: float) -> Bound:
    return Bound(kind="at least", ratio=ratio)


def at_most(ratio: float) -> Bound:
    return Bound(kind="at most", ratio=ratio)


def within(share: float) -> Bound:
    """No further than that from 1."""
    return Bound(kind="within", ratio=share)


class Result(Record):
    """One claim beside one peer, on one processor."""

    claim: str
    """What is measured, in words that stay the same from one measurement to the next."""
    setting: str
    """Sizes and arithmetic that both sides had."""
    peer: str
    peer_figure: float
    solon_figure: float
    """Median, as the peer's."""
    unit: str
    ratio: float
    """`solon_figure / peer_figure`."""
    asked: Bound | None = None
    """None: printed for comparison, nothing is promised."""
    date: dt.date
    processor: str
    versions: dict[str, str]

    @property
    def kept(self) -> bool:
        return self.asked is None or self.asked.holds(self.ratio)

    @property
    def key(self) -> tuple[str, str, str]:
        """A newer result of the same key takes the place of an older one."""
        return self.claim, self.peer, self.processor


def read_results(path: Path = RESULTS) -> list[Result]:
    """All results in the order of their measurement; none where there is no file."""
    if not path.exists():
        return []
    return [Result.model_validate_json(line) for line in path.read_text(encoding="utf-8").splitlines()]


def append_results(results: Iterable[Result], path: Path = RESULTS) -> None:
    with path.open("a", encoding="utf-8") as file:
        file.writelines(f"{result.model_dump_json()}\n" for result in results)


def newest(results: Sequence[Result]) -> list[Result]:
    """The last result of every key, in the order in which keys first came."""
    return list({result.key: result for result in results}.values())
