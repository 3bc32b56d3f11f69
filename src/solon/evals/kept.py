"""`evaluations/NAME.json` of a run's folder: what an evaluation found of one of the run's models.

Whoever evaluates writes an `Evaluation`. The object that `solon eval ... --json` prints is read as well: its figures
are found by their form (docs/formats/evaluations.md), so that a new evaluation needs nothing here.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from math import isfinite
from pathlib import Path
from typing import Final

from pydantic import Field, ValidationError

from solon.artifacts.atomic import canonical_json, storage_errors, write_atomic
from solon.errors import UserError
from solon.records import Record

FOLDER: Final = "evaluations"
NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]*")
VALUES: Final = ("rate", "mean", "value", "rating")
"""Keys that a figure's value stands under, beside `low` and `high`."""
COUNTS: Final = ("n", "label_n", "texts", "games")
"""Keys of how many items figures are of."""
LEFT_OUT: Final = ("unscored_by_reason", "lost", "unparsed", "unfinished", "blank", "left_out", "unasked", "unanswered")
"""Keys of what no figure counts."""
_ITEMS: Final = ("bins",)
"""Keys whose figures are parts of a drawing."""


class Metric(Record):
    """One figure of a model, with its 95% interval."""

    name: str
    """Of a result of `solon eval` the keys that lead to it, e.g. `by label: safe: full refusal`."""
    value: float
    low: float | None
    """null, as `high`: no end on this side, or none that is known."""
    high: float | None
    n: int
    """Items that it is of; 0 where that is not told."""


class PairedMetric(Metric):
    """The model's figure minus another model's, over the items that both have."""

    against: str


class Evaluation(Record):
    """One evaluation of one model at one temperature."""

    name: str
    """E.g. `hhh`."""
    model: str
    """`base`, `sl`, `rl`, `dpo` or `pm` of the run, or another's name; empty where only answers are known."""
    temperature: float | None = None
    """null: nothing is drawn, or it is not known."""
    metrics: tuple[Metric, ...] = Field(min_length=1)
    paired: tuple[PairedMetric, ...] = ()
    """Against models before it."""
    unscored: dict[str, int] = Field(default_factory=dict)
    """Items that no figure counts, by reason."""
    made_by: str = "solon"
    """And the version, if it is another's."""


def check_name(name: str) -> None:
    """Raises `UserError` if no result can be called so."""
    if not NAME.fullmatch(name):
        raise UserError(f"no result can be called {name!r}", hint="letters, digits, dots and dashes: --name hhh-rl")


def keep(run: Path, name: str, found: Evaluation) -> Path:
    """Writes it, in the place of an earlier one of this name."""
    check_name(name)
    path = run / FOLDER / f"{name}.json"
    with storage_errors(run):
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, canonical_json(found, indent=2))
    return path


def read_evaluations(run: Path) -> tuple[dict[str, Evaluation], dict[str, str]]:
    """Those that a run has, by the name of their file, and of each file that cannot be read why."""
    found, faults = {}, {}
    for path in sorted((run / FOLDER).glob("*.json")):
        try:
            found[path.stem] = read_evaluation(path)
        except (OSError, ValueError, RecursionError) as error:
            faults[path.name] = f"no result of an evaluation ({type(error).__name__})"
    return found, faults


def read_evaluation(path: Path) -> Evaluation:
    """Of a file, also of what `solon eval ... --json` printed into it. Raises `ValueError` if there is no figure."""
    content = json.loads(path.read_bytes())
    try:
        return Evaluation.model_validate(content)
    except ValidationError:
        if not isinstance(content, dict):
            raise
        return evaluation_of(path.stem, "", content)


def evaluation_of(name: str, model: str, result: Mapping[str, object]) -> Evaluation:
    """Of the object that `solon eval NAME --json` prints. Raises `ValueError` if it has no figure."""
    return Evaluation(name=name, model=model, metrics=tuple(figures_in(result)), unscored=_left_out(result))


def figures_in(result: Mapping[str, object]) -> list[Metric]:
    """Every figure of a result.

    Example: {"n": 4, "accuracy": {"rate": 0.5, "low": 0.15, "high": 0.85}} has one, `accuracy`, of n 4; so has
    {"n": 4, "score": 0.5, "score_low": 0.1, "score_high": 0.9}, `score`.
    """
    return list(_figures(result, (), 0))


def _figures(value: object, path: tuple[str, ...], n: int) -> Iterator[Metric]:
    if isinstance(value, dict):
        yield from _of_object(value, path, n)
    elif isinstance(value, list):
        for entry in value:
            if isinstance(entry, dict):
                yield from _of_object(entry, (*path[:-1], *_called(entry)), n)


def _of_object(value: Mapping[str, object], path: tuple[str, ...], n: int) -> Iterator[Metric]:
    n = next((count for key in COUNTS if isinstance(count := value.get(key), int)), n)
    if key := next((key for key in VALUES if {key, "low", "high"} <= value.keys()), None):
        yield from _figure(path or (key,), n, value[key], value["low"], value["high"])
        return
    for key, inside in value.items():
        low, high = f"{key}_low", f"{key}_high"
        if {low, high} <= value.keys():
            yield from _figure((*path, _words(key)), n, inside, value[low], value[high])
        elif key not in _ITEMS:
            yield from _figures(inside, (*path, _words(key)), n)


def _figure(path: tuple[str, ...], n: int, value: object, low: object, high: object) -> Iterator[Metric]:
    if (known := _number(value)) is not None:
        yield Metric(name=": ".join(path), value=known, low=_number(low), high=_number(high), n=n)


def _number(value: object) -> float | None:
    """None also of what is no finite number."""
    known = isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)
    return float(value) if known else None  # type: ignore[arg-type]


def _called(entry: Mapping[str, object]) -> tuple[str, ...]:
    """What tells an entry of a list from the others: its texts."""
    return tuple(text for text in entry.values() if isinstance(text, str))


def _words(key: str) -> str:
    return key.replace("_", " ")


def _left_out(result: Mapping[str, object]) -> dict[str, int]:
    """Of the result as a whole, and of its rows."""
    found: Counter[str] = Counter()
    rows = result.get("rows")
    for part in (result, *(rows if isinstance(rows, list) else ())):
        for key in LEFT_OUT if isinstance(part, dict) else ():
            counts = part.get(key)
            reasons = counts if isinstance(counts, dict) else {_words(key): counts}
            found.update({str(why): count for why, count in reasons.items() if isinstance(count, int)})
    return dict(+found)
