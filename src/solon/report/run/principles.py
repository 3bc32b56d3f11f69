"""Each principle: how often it was drawn, what it changed, how it judged, and which others it conflicts with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from solon.constitution.precedence import hard_constraints
from solon.constitution.principles import Principle
from solon.evals.bias import prefers
from solon.evals.conflicts import Conflict, Principles
from solon.evals.grader import REVISIONS
from solon.evals.statistics import Rate, grouped, rate
from solon.records import Comparison
from solon.report.data import ReportData

MOST = 40
"""Principles of a matrix."""


@dataclass(frozen=True, kw_only=True)
class PrincipleRow:
    """One principle of a run. A rate is None where there is nothing that it could be a share of."""

    id: str
    title: str
    principle: Principle | None
    """Its texts, if the constitution has them."""
    revisions: int
    """Rounds that it was drawn for."""
    share: float | None
    """Of all rounds."""
    expected: float | None
    """The same by its weight."""
    changed: Rate | None
    """Of these: those whose revision is another text."""
    mended: Rate | None
    """Of these, where the answer before had a fault: those after which it has fewer."""
    spoilt: Rate | None
    """Of these: those after which the answer has more faults."""
    comparisons: int
    """Labels that it had a part in."""
    decided: Rate | None
    """Of the labels by it alone: those that prefer an answer."""
    right: Rate | None
    """Of these labels, where one answer is truly better."""
    agrees: Rate | None
    """How often the other principles prefer the same answer."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """A round of critique and revision under a principle."""

    chain: str
    changed: bool
    faults: tuple[int, int] | None
    """Of the answer before and after; None where nobody knows."""


def conflicts(data: ReportData) -> Principles | None:
    """What principles say of the same pairs: of all, if a sample was put to them, or of those drawn."""
    return data.principles or (data.summary.labels.conflicts if data.summary.labels else None)


def principle_rows(data: ReportData) -> list[PrincipleRow]:
    """Those of the constitution in its order, then any other that a row names."""
    drawn = grouped(_drawn(data), lambda pair: pair[0])
    judged = grouped(((name, row) for row in data.comparisons for name in row.principle_ids), lambda pair: pair[0])
    kept, found = data.constitution, conflicts(data)
    known = {one.id: one for one in (*hard_constraints(kept), *kept.principles)} if kept else {}
    quality = data.summary.labels.principles if data.summary.labels else {}
    listed = [one.id for one in kept.principles] if kept else []
    expected = _expected(data)
    return [
        PrincipleRow(
            id=name,
            title=known[name].title if name in known else name,
            principle=known.get(name),
            revisions=len(rounds := [one for _, one in drawn.get(name, ())]),
            share=len(rounds) / sum(map(len, drawn.values())) if rounds else None,
            expected=expected.get(name),
            changed=_rate(rounds, lambda one: one.changed),
            mended=_rate([one for one in rounds if one.faults and one.faults[0]], _fewer),
            spoilt=_rate([one for one in rounds if one.faults], _more),
            comparisons=len(rows := [row for _, row in judged.get(name, ())]),
            decided=_decided(name, rows),
            right=quality[name].accuracy if name in quality else None,
            agrees=found.agreement.get(name) if found else None,
        )
        for name in dict.fromkeys([*listed, *sorted(drawn), *sorted(judged)])
    ]


def _drawn(data: ReportData) -> Iterator[tuple[str, Drawn]]:
    """Each round of each chain, under its principle."""
    faults = _faults(data)
    for chain in data.revisions:
        texts = chain.texts
        for number, step in enumerate(chain.rounds, start=1):
            before = faults.get((chain.prompt_id, number - 1))
            after = faults.get((chain.prompt_id, number))
            known = (before, after) if before is not None and after is not None else None
            yield step.principle_id, Drawn(chain=chain.id, changed=texts[number] != texts[number - 1], faults=known)


def _faults(data: ReportData) -> dict[tuple[str, int], int]:
    """How many faults an answer of a chain has, by its prompt and round, for the grader who knows."""
    card = next((card for card in data.summary.graders if card.name == data.summary.grader), None)
    rows = [row for row in data.scores if card and row.task == REVISIONS and row.grader == card.name and row.values]
    names = card.names("lower") if card else ()
    return {(row.item, int(row.model.rpartition("@")[2])): sum(row.has(name) for name in names) for row in rows}


def _fewer(one: Drawn) -> bool:
    return one.faults is not None and one.faults[1] < one.faults[0]


def _more(one: Drawn) -> bool:
    return one.faults is not None and one.faults[1] > one.faults[0]


def _rate(rounds: Sequence[Drawn], of: Callable[[Drawn], bool]) -> Rate | None:
    """Rounds of one chain are not independent."""
    return rate([of(one) for one in rounds], [one.chain for one in rounds]) if rounds else None


def _decided(name: str, rows: Sequence[Comparison]) -> Rate | None:
    own = [row for row in rows if row.principle_id == name and row.p_a_preferred is not None]
    outcomes = [bool(prefers(row.p_a_preferred)) for row in own if row.p_a_preferred is not None]
    return rate(outcomes, [row.prompt_id for row in own]) if own else None


def _expected(data: ReportData) -> dict[str, float]:
    """The share of rounds by weight, of the principles that the supervised phase draws from."""
    if data.constitution is None or data.config is None:
        return {}
    drawn = data.constitution.critique_principles(data.config.constitution.critique)
    total = sum(one.weight for one in drawn)
    return {one.id: one.weight / total for one in drawn}


@dataclass(frozen=True, kw_only=True)
class Matrix:
    """How often each two principles prefer different answers."""

    names: Sequence[str]
    cells: Sequence[Sequence[Conflict | None]]
    """By row and column, in the order of the names; None on the diagonal and of pairs without a verdict."""
    beyond: int = 0
    """Principles that it leaves out."""

    @classmethod
    def of(cls, found: Principles, most: int = MOST) -> Matrix:
        """Of too many, those of the most frequent conflicts."""
        known = {(one.first, one.second): one for one in found.conflicts}
        known |= {(second, first): one for (first, second), one in known.items()}
        worst = list(dict.fromkeys(name for one in found.conflicts for name in (one.first, one.second)))
        names = [name for name in found.agreement if name in {*[*worst, *found.agreement][:most]}]
        cells = [[known.get((row, column)) for column in names] for row in names]
        return cls(names=names, cells=cells, beyond=len(found.agreement) - len(names))


def heat(rate: float) -> int:
    """The step of color of a share of conflicts, 0 to 4. Example: 0.12 is 1, 0.6 is 4."""
    return sum(rate >= edge for edge in (0.05, 0.15, 0.3, 0.5))
