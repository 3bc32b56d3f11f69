"""Which number means agree. Layouts differ, so the layout's word is not taken for it: the export is asked.

Three kinds of witness, each counted for +1 and for -1:

- `n-agree` and `n-disagree` of each participant against the participant's votes;
- `agrees` and `disagrees` of each statement against the votes on it;
- authors' votes on their own statements, which Polis casts as agree when a statement is submitted.

    n-agree 3, n-disagree 1; votes +1 +1 +1 -1      speaks for +1
    n-agree 3, n-disagree 1; votes -1 -1 -1 +1      speaks for -1
    n-agree 2, n-disagree 2                         says nothing

Counts are exact, but those of server exports are often turned round (`counts.straightened`): there authors alone are
heard. Authors change their minds, and an organiser who wrote every statement may not have voted on submission.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import AGREE, DISAGREE, Ints
from solon.collective.reading.exported import Cells, Export, ExportedVotes, Layout, among
from solon.errors import InputError, Where

EXACT_SHARE = 0.8
"""Share of the counts that fit one way alone, above which they are taken at their word. Assumption: exports whose
counts are right fit in all rows; a damaged one misfits in some."""
AUTHORS_SHARE = 0.75
"""The same for authors, who may change their vote later. In the open conversations it is 0.97 to 1."""
AUTHORS_LEAST = 3
"""Authors' votes, and different authors, below which they say nothing. Assumption."""
OUTWEIGHED = 20
"""So many voices for a sign to one against it settle the matter. Assumption."""


@dataclass(frozen=True, kw_only=True)
class Witness:
    """What one part of the export says about the sign of the votes."""

    what: str
    plus: int = 0
    """How many speak for +1 as agree, and not for -1 as well."""
    minus: int = 0
    people: int | None = None
    """Of authors: how many different ones. None: these are counts, which are exact."""

    @property
    def opinion(self) -> int | None:
        """AGREE if +1 is agree, DISAGREE if -1 is; 0: it contradicts itself; None: too little to go by."""
        heard = self.plus + self.minus
        least, share = (1, EXACT_SHARE) if self.people is None else (AUTHORS_LEAST, AUTHORS_SHARE)
        if heard < least or (self.people is not None and self.people < AUTHORS_LEAST):
            return None
        if self.plus >= share * heard:
            return AGREE
        return DISAGREE if self.minus >= share * heard else 0

    def speaking(self, sign: int) -> int:
        return self.plus if sign == AGREE else self.minus

    def __str__(self) -> str:
        return f"{max(self.plus, self.minus):,} of {self.plus + self.minus:,} {self.what}"

    def figures(self) -> str:
        return f"{self.what}: {self.plus:,} for +1 and {self.minus:,} for -1"


def witnesses(export: Export, votes: ExportedVotes, latest: Cells) -> list[Witness]:
    """All that the export says. votes: in the order of time; latest: one per cell; both in the file's own sign."""
    authors = _authors(export, votes)
    if export.layout is Layout.server_csv:
        return [authors]
    said = export.matrix.counts.get
    people = fitting("participants' own counts (n-agree)", said("n-agree"), said("n-disagree"), latest.per_participant)
    # Clojure counts every event, the server every latest vote: whichever fits better is what was counted.
    events = Cells(frame=latest.frame, key=latest.frame.keys(votes), vote=votes.vote)
    what, said = "statements' own counts (agrees)", export.statement_counts.get
    tried = [fitting(what, said("agrees"), said("disagrees"), one.per_statement) for one in (events, latest)]
    return [people, max(tried, key=lambda one: max(one.plus, one.minus)), authors]


def fitting(what: str, agrees: Ints | None, disagrees: Ints | None, count: Callable[[int], Ints]) -> Witness:
    """How many rows fit as the counts are named, and how many with agrees and disagrees in each other's place.

    agrees, disagrees: as stated, -1 where nothing is; count: the votes of one kind.
    """
    if agrees is None or disagrees is None:
        return Witness(what=what)
    plus, minus = count(AGREE), count(DISAGREE)
    straight, reverse = (plus == agrees) & (minus == disagrees), (minus == agrees) & (plus == disagrees)
    return Witness(what=what, plus=int((straight & ~reverse).sum()), minus=int((reverse & ~straight).sum()))


def _authors(export: Export, votes: ExportedVotes) -> Witness:
    """The first vote of each author on their own statement; seeds are written by organisers, who do not vote."""
    authored = [one for one in export.statements if one.author is not None and not one.is_seed]
    ids, authors = (np.array([getattr(one, name) for one in authored], dtype=np.int64) for name in ("id", "author"))
    at = np.flatnonzero(among(votes.statement, ids))
    at = at[authors[np.searchsorted(ids, votes.statement[at])] == votes.participant[at]]
    _, first = np.unique(votes.statement[at], return_index=True)
    own = votes.vote[at[first]]
    return Witness(
        what="authors' votes on their own statements",
        plus=int((own == AGREE).sum()),
        minus=int((own == DISAGREE).sum()),
        people=len(set(votes.participant[at[first]].tolist())),
    )


def decide(export: Export, votes: ExportedVotes, heard: Sequence[Witness], given: int | None) -> int:
    """+1 if +1 means agree in the file, -1 if -1 does, and a finding in words. Raises `InputError` if the witnesses
    contradict each other, or a server export has none.
    """
    opinions = {one.opinion for one in heard} - {None}
    settled = [sign for sign in (AGREE, DISAGREE) if sign in opinions and not _in_doubt(heard, sign)]
    findings, where = export.findings, votes.path
    figures = "; ".join(one.figures() for one in heard if one.plus + one.minus)
    if given is not None:
        told = f"as told by --vote-sign ({figures or 'nothing else tells'})"
        findings.note(where, f"vote sign: {given:+d} means agree, {told}")
        if opinions - {given}:
            what = f"--vote-sign agree={given:+d} against the evidence: {figures}"
            findings.warning(where, what, "the option counts")
        return given
    if len(settled) == 1:
        _say(export, votes, settled[0], heard)
        return settled[0]
    hint = "say which when importing it: solon collect import DIR --vote-sign agree=+1 (or agree=-1) -o OUT"
    if opinions:
        raise InputError(f"it is unclear whether +1 or -1 means agree: {figures}", where=Where(where), hint=hint)
    if not votes.vote.any():
        findings.note(where, "vote sign: there are neither agrees nor disagrees to tell it by")
        return AGREE
    if export.layout is Layout.clojure:
        findings.warning(where, "vote sign: nothing in the export confirms that +1 means agree", "taken as agree")
        return AGREE
    what = f"a {export.layout} does not say whether +1 or -1 means agree, and too few authors voted on their statements"
    raise InputError(what, where=Where(where), hint=hint)


def _in_doubt(heard: Sequence[Witness], sign: int) -> bool:
    """Whether witnesses speak against `sign`, or against themselves, with weight enough to leave it open.

    9,919 participants' counts for +1, none for -1; authors' votes 48 to 32     no doubt about +1
    9,919 participants' counts for +1; 90 authors' votes, all for -1            a doubt
    2,000 statements' counts for +1; 2 participants' counts for +1, 1 for -1    no doubt about +1
    """
    believers = [one for one in heard if one.opinion == sign]
    voices = sum(one.speaking(sign) for one in believers)
    counted = any(one.people is None for one in believers)

    def light(one: Witness) -> bool:
        if one.people is None:
            return one.speaking(-sign) * OUTWEIGHED <= voices
        return counted and one.opinion == 0

    return not all(light(one) for one in heard if one.opinion not in (None, sign))


def _say(export: Export, votes: ExportedVotes, sign: int, heard: Sequence[Witness]) -> None:
    believers = ", ".join(str(one) for one in heard if one.opinion == sign)
    if outweighed := [one.figures() for one in heard if one.opinion not in (None, sign)]:
        export.findings.warning(votes.path, f"vote sign: {'; '.join(outweighed)}", f"outweighed by {believers}")
    what = f"vote sign: {sign:+d} means agree, as {believers} confirm"
    if sign == AGREE:
        export.findings.note(votes.path, what)
    else:
        usual = ", unlike the layout's usual" if export.layout is Layout.clojure else ""
        export.findings.repair(votes.path, what + usual, "turned round: +1 means agree in what is imported")
