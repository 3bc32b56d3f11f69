"""What a run was made from and what it took: versions, facts, what was dropped, time and cost."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from solon.artifacts.manifest import Manifest, Timing
from solon.config.engines import EndpointSection
from solon.config.run import RunConfig
from solon.report.data import ReportData
from solon.text import without_secret


@dataclass(frozen=True, kw_only=True)
class Loss:
    """Rows that did not get through."""

    where: str
    """The stage, or the file."""
    why: str
    n: int
    of: int | None
    """Of so many."""


def losses(data: ReportData) -> list[Loss]:
    """Everything that was dropped, could not be read or was cut off, in the order of the stages."""
    return [*_dropped(data.manifests), *_unscored(data), *_beside(data)]


def _dropped(manifests: Sequence[Manifest]) -> Iterator[Loss]:
    for one in manifests:
        for why, n in one.counts.dropped.items():
            if n:
                yield Loss(where=one.stage, why=why, n=n, of=one.counts.rows_in or None)
        for why, n in one.counts.other.items():
            if n and (why.startswith(("unscored", "kept out", "held out", "unfinished")) or "left out" in why):
                yield Loss(where=one.stage, why=why, n=n, of=None)


def _unscored(data: ReportData) -> Iterator[Loss]:
    if (labels := data.summary.labels) is not None:
        for why, n in labels.unscored_reasons.items():
            yield Loss(where="labels", why=f"unscored: {why}", n=n, of=labels.n)
    asked = Counter((row.model, row.grader) for row in data.scores)
    left = Counter((row.model, row.grader, row.unscored) for row in data.scores if row.unscored is not None)
    for (model, grader, why), n in left.items():
        yield Loss(where=f"answers of {model}", why=f"not graded by {grader}: {why}", n=n, of=asked[model, grader])


def _beside(data: ReportData) -> Iterator[Loss]:
    """Of what was measured beside the stages."""
    origins = {"sensitivity": data.sensitivity, "principles": data.principles}
    for name, found in origins.items():
        for why, n in (found.origin.dropped if found and found.origin else {}).items():
            yield Loss(where=name, why=why, n=n, of=None)
    for name, one in data.evaluations.items():
        for why, n in one.unscored.items():
            yield Loss(where=f"evaluation {name}", why=why, n=n, of=None)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a server was paid for."""

    role: str
    read: int
    written: int
    price: float | None
    """In the currency of the run file's prices; None without prices."""


def costs(data: ReportData) -> list[Cost]:
    """Of each role whose model is on a server, over all interruptions."""
    return [
        Cost(role=role, read=one.read, written=one.written, price=_price(data.config, role, one.read, one.written))
        for role, one in data.spent.items()
    ]


def _price(config: RunConfig | None, role: str, read: int, written: int) -> float | None:
    own = getattr(config.models, role).endpoint if config else None
    prices = own or EndpointSection()
    if not prices.input_price and not prices.output_price:
        return None
    return float(read * prices.input_price + written * prices.output_price) / 1e6


def totals(manifests: Sequence[Manifest]) -> Timing:
    """Seconds, tokens and operations of all stages."""
    timings = [one.timing for one in manifests]
    return Timing(
        seconds=sum(one.seconds for one in timings),
        tokens=sum(one.tokens for one in timings),
        flops=sum(one.flops for one in timings),
    )


def run_file(config: RunConfig) -> list[tuple[str, str]]:
    """Every key, without secrets."""
    return [(key, without_secret(key, value)) for key, value in flatten(config.model_dump(mode="json"))]


def version_rows(manifests: Sequence[Manifest]) -> list[tuple[str, str]]:
    """Every version that took part; several values mean that the run went on under another version."""
    found: dict[str, dict[str, None]] = {}
    for manifest in manifests:
        for name, version in manifest.versions.items():
            found.setdefault(name, {})[version] = None
    return [(name, ", ".join(versions)) for name, versions in found.items()]


def stage_facts(manifest: Manifest) -> list[tuple[str, str]]:
    """What a stage counted besides rows, and what it noted."""
    return [*((name, f"{n:,}") for name, n in manifest.counts.other.items()), *flatten(manifest.facts)]


def flatten(value: object, prefix: str = "") -> list[tuple[str, str]]:
    """Nested data as dotted names and text. Example: {"a": {"b": 1}} gives [("a.b", "1")]."""
    if isinstance(value, dict) and value:
        return [row for key, item in value.items() for row in flatten(item, f"{prefix}.{key}" if prefix else str(key))]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return [(prefix, text)] if prefix else []
