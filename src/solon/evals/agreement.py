"""How far a judge agrees with people who looked at some of its pairs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from solon.artifacts.shards import decode_rows
from solon.errors import UserError, Where
from solon.evals.bias import Better
from solon.evals.calibration import accuracy, brier, calibration
from solon.evals.statistics import Mean, Rate
from solon.records import Comparison, Record


class HumanVerdict(Record):
    """What people say of a pair: a line of the file."""

    id: str
    """Of the comparison."""
    better: Better


class Agreement(Record):
    """A judge's labels against people's, on the pairs that both have looked at."""

    n: int
    """Pairs with a label that people looked at."""
    ties: int
    """Those in which people find neither better."""
    unscored: int
    """Pairs that people looked at, and the judge's verdict could not be read."""
    unknown: int
    """Ids that are none of the labels'."""
    agreement: Rate | None
    """On the rest: labels that prefer the answer that people do; a label of exactly 0.5 counts one half."""
    kappa: float | None
    """Cohen's kappa of the same: 0 is the agreement of chance, 1 is full. Null where chance alone agrees always."""
    ece: float | None
    brier: Mean | None


def read_verdicts(path: Path) -> dict[str, Better]:
    """By the id of the comparison. Raises `UserError` with file and line of what is not one, and of ids that come
    twice."""
    if not path.is_file():
        raise UserError("there is no such file", where=Where(path))
    found: dict[str, Better] = {}
    with open(path, "rb") as file:
        for number, row in enumerate(decode_rows(file, HumanVerdict, path), start=1):
            if row.id in found:
                raise UserError(f"a second verdict on {row.id}", where=Where(path, number), hint="keep one")
            found[row.id] = row.better
    return found


def agreement(labels: Sequence[Comparison], people: Mapping[str, Better]) -> Agreement:
    """Example: labels for a of 0.9, 0.8, 0.3, 0.4 where people say a, b, b, b: agreement 3/4, of chance
    (2/4)(1/4) + (2/4)(3/4) = 1/2, kappa 1/2."""
    known = {row.id: row for row in labels}
    seen = [(known[name], better) for name, better in people.items() if name in known]
    scored = [(row, row.p_a_preferred, better) for row, better in seen if row.p_a_preferred is not None]
    decided = [(row, p, float(better == "a")) for row, p, better in scored if better != "tie"]
    rows, prompts = [(p, y) for _, p, y in decided], [row.prompt_id for row, *_ in decided]
    agreed = accuracy([(p - 0.5, y) for p, y in rows])
    return Agreement(
        n=len(scored),
        ties=len(scored) - len(decided),
        unscored=len(seen) - len(scored),
        unknown=len(people) - len(seen),
        agreement=agreed,
        kappa=_kappa(agreed.rate, rows) if agreed else None,
        ece=calibration(rows).ece if rows else None,
        brier=brier(rows, prompts),
    )


def _kappa(agreed: float, rows: Sequence[tuple[float, float]]) -> float | None:
    judge = sum(0.5 if p == 0.5 else float(p > 0.5) for p, _ in rows) / len(rows)
    human = sum(y for _, y in rows) / len(rows)
    chance = judge * human + (1 - judge) * (1 - human)
    return None if chance == 1 else (agreed - chance) / (1 - chance)
