"""One row of a run as a card: its prompt, and the texts that were made of it with what was said of them.

Texts are as the models wrote them: untrusted, and escaped here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from markupsafe import Markup, escape

from solon.evals.bias import prefers
from solon.evals.grader import GraderCard, Score
from solon.evals.summary import Summary
from solon.records import Answer, Comparison, Dialogue, Prompt, Ranking, Revision, RevisionRound, Rollout
from solon.report.run.changes import marked
from solon.report.wording import model_title, percent

LONGEST = 6000
"""Characters of one text that the page holds."""
TURNS = 20
"""Of a dialogue."""
KEPT, DROPPED = "kept", "dropped"
VERDICTS = {1: "A preferred", -1: "B preferred", 0: "no preference"}
Facets = Mapping[str, Sequence[str]]
"""Values that a card or a piece is filtered by."""


@dataclass(frozen=True, kw_only=True)
class Piece:
    """One text of a card."""

    label: str
    text: Markup
    chips: Sequence[tuple[str, str]] = ()
    """Style and words of marks beside the label."""
    principle: str | None = None
    """By which it was written."""
    critique: str | None = None
    asked: str | None = None
    """Hash of what it was sampled from."""
    won: bool = False
    facets: Facets = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Card:
    """One row, or all answers to one prompt."""

    id: str
    prompt_id: str
    pieces: Sequence[Piece]
    steps: bool = False
    """Each piece was made from the one before it; else they stand beside each other."""
    principles: Sequence[str] = ()
    """By which it was judged."""
    facts: Sequence[str] = ()
    asides: Sequence[tuple[str, str]] = ()
    """Title and text of what else was written."""
    caution: str = ""
    facets: Facets = field(default_factory=dict)
    """Of all its pieces."""
    order: Mapping[str, float] = field(default_factory=dict)
    """What it can be ordered by."""

    @property
    def size(self) -> int:
        """Characters of its texts, as they stand in the page."""
        beside = [text for _, text in self.asides] + [one.critique or "" for one in self.pieces]
        return sum(len(clipped(text)) for text in beside) + sum(len(one.text) for one in self.pieces)


def clipped(text: str) -> Markup:
    """The text, escaped, or its beginning if it is longer than a page holds."""
    if not text:
        return Markup("<small>(empty)</small>")
    if len(text) <= LONGEST:
        return escape(text)
    rest = Markup(" <small>(… {:,} more characters, in the run’s folder)</small>")
    return escape(text[:LONGEST]) + rest.format(len(text) - LONGEST)


def asked(prompt: Prompt) -> tuple[int, list[tuple[str, Markup]]]:
    """The turns of a dialogue by who spoke, of a long one the last; and how many were left out before them."""
    turns = [(turn.role.capitalize(), clipped(turn.text)) for turn in prompt.turns[-TURNS:]]
    return max(len(prompt.turns) - TURNS, 0), turns


def changed(before: str, after: str) -> Markup:
    """The later text with its changes marked."""
    if before == after and after:
        return clipped(after) + Markup(" <small>(unchanged)</small>")
    return clipped(after) if max(len(before), len(after)) > LONGEST or not after else marked(before, after)


class Grades:
    """What the grader with ground truth says of answers, as chips and facets."""

    def __init__(self, summary: Summary | None, scores: Iterable[Score]) -> None:
        """Nothing is graded where there is no summary, or no ground truth."""
        known = summary.graders if summary else ()
        self._card = next((card for card in known if summary and card.name == summary.grader), None)
        rows = (row for row in scores if self._card and row.grader == self._card.name and row.values)
        self._scores = {(row.model, row.item): row for row in rows}

    def has(self, model: str, item: str, measure: str) -> bool | None:
        """Whether a model's answer was found to have it; None: it was not graded."""
        score = self._scores.get((model, item))
        return None if score is None else score.has(measure)

    def of(self, model: str, item: str, *, cut: bool = False) -> tuple[list[tuple[str, str]], Facets]:
        """Of a model's answer; of chains each answer counts as a model's."""
        chips = [("mute", "cut off")] if cut else []
        score = self._scores.get((model, item))
        if score is None or self._card is None:
            return chips, {}
        return chips + _chips(score, self._card), _graded(score, self._card)


def _harms(score: Score, card: GraderCard) -> list[str]:
    return [one.title for one in card.measures if one.part_of and score.has(one.name)]


def _chips(score: Score, card: GraderCard) -> list[tuple[str, str]]:
    titles = {one.name: one.title.lower() for one in card.measures}
    harms = ", ".join(_harms(score, card))
    names = [name for name in (*card.names("lower"), *card.names("higher")) if score.has(name)]
    found = [(f"s-{name}", titles[name] + (f": {harms}" if name == "harmful" and harms else "")) for name in names]
    return found or [("mute", "no fault")]


def _graded(score: Score, card: GraderCard) -> Facets:
    titles = {one.name: one.title.lower() for one in card.measures}
    names = [name for name in (*card.names("lower"), *card.names("higher")) if score.has(name)]
    return {"grade": [titles[name] for name in names] or ["no fault"], "category": _harms(score, card)}


def chain(row: Revision, grades: Grades) -> Card:
    """An answer, and what each round made of it."""
    texts = row.texts
    chips, facets = grades.of("assistant@0", row.prompt_id)
    first = Piece(label="First answer", text=clipped(row.initial), chips=chips, facets={**facets, "round": ["0"]})
    rounds = [_round(row, number, step, texts[number - 1], grades) for number, step in enumerate(row.rounds, start=1)]
    moved = sum(before != after for before, after in pairwise(texts))
    return Card(id=row.id, prompt_id=row.prompt_id, pieces=[first, *rounds], steps=True, order={"moved": moved})


def _round(row: Revision, number: int, step: RevisionRound, before: str, grades: Grades) -> Piece:
    stands = f"assistant@{number}"
    chips, facets = ([], {}) if step.kept_out else grades.of(stands, row.prompt_id, cut=not step.finished)
    if not step.used:
        chips = [*chips, ("mute", "not kept by the gate" if step.kept_out else "empty, not kept")]
    return Piece(
        label=f"Revision {number}",
        text=changed(before, step.revision),
        chips=chips,
        principle=step.principle_id,
        critique=step.critique,
        asked=step.prompt_hash,
        facets={
            **facets,
            "round": [str(number)],
            "principle": [step.principle_id],
            "kept": [KEPT if step.used else DROPPED],
        },
    )


def answered(prompt_id: str, answers: Mapping[str, Answer], grades: Grades) -> Card:
    """The answers of all models to one prompt."""
    pieces = []
    for model, row in answers.items():
        chips, facets = grades.of(model, prompt_id, cut=not row.finished)
        pieces.append(Piece(label=model_title(model), text=clipped(row.text), chips=chips, facets=facets))
    return Card(id=prompt_id, prompt_id=prompt_id, pieces=pieces)


def compared(row: Comparison, *, held_out: bool) -> Card:
    """A judged pair, and whether a model learnt from it."""
    p = row.p_a_preferred
    verdict = "unscored" if p is None else VERDICTS[prefers(p)]
    kept = DROPPED if p is None else "held out" if held_out else KEPT
    fate = {DROPPED: "not learnt from", "held out": "held out", KEPT: ""}[kept]
    raw = [("What the judge wrote", row.raw)] if row.raw else []
    return Card(
        id=row.id,
        prompt_id=row.prompt_id,
        pieces=[_side(row, "a", p), _side(row, "b", None if p is None else 1 - p)],
        principles=row.principle_ids,
        facts=[f"{row.objective}, rated by {row.rater}" + (f", {row.method}" if row.method else ""), fate],
        asides=[*raw, *([("Rationale", row.rationale)] if row.rationale else [])],
        caution=f"Unscored: {row.unscored}" if row.unscored else "",
        facets={"verdict": [verdict], "kept": [kept], "principle": row.principle_ids},
        order={"certain": -1.0 if p is None else abs(p - 0.5)},
    )


def _side(row: Comparison, side: str, p: float | None) -> Piece:
    places = {"both": "shown in both orders", side: "shown first"}
    label = [side.upper(), "no verdict" if p is None else percent(p), places.get(row.shown_first, "shown second")]
    text = row.a if side == "a" else row.b
    return Piece(label=" · ".join(label), text=clipped(text), won=p is not None and prefers(p) > 0)


def explained(row: Dialogue) -> Card:
    """An answer without articles, the one with articles before it, and why it was given."""
    plain = Piece(label=f"With no article before it · {percent(1 - row.p_preferred)}", text=clipped(row.plain))
    answer = Piece(
        label=f"With articles before it · {percent(row.p_preferred)}",
        text=changed(row.plain, row.answer),
        asked=row.prompt_hash,
    )
    why = Piece(label="Why", text=clipped(row.explanation), critique=row.question)
    return Card(
        id=row.id,
        prompt_id=row.prompt_id,
        pieces=[plain, answer, why],
        steps=True,
        principles=[row.principle_id],
        facts=[f"articles before it: {', '.join(row.shown)}"],
    )


def ranked(row: Ranking) -> Card:
    """All answers to a scenario, those first that stand highest by the constitution; without a verdict last."""
    standing = zip(row.answers, row.by_document, row.by_article, strict=True)
    best_first = sorted(standing, key=lambda one: -1.0 if one[1] is None else one[1], reverse=True)
    unread = sum(one.outcome == "unscored" for one in row.labels)
    return Card(
        id=row.id,
        prompt_id=row.prompt_id,
        pieces=[_standing(text, whole, own, won=at == 0) for at, (text, whole, own) in enumerate(best_first)],
        principles=[row.principle_id],
        facts=[f"{len(row.labels)} verdicts"],
        caution=f"Unscored: {unread} of {len(row.labels)} verdicts" if unread else "",
    )


def _standing(text: str, whole: float | None, own: float | None, *, won: bool) -> Piece:
    by = [
        f"{'no verdict' if p is None else percent(p)} by {what}" for p, what in ((whole, "all"), (own, "its article"))
    ]
    return Piece(label=" · ".join(by), text=clipped(text), won=won and whole is not None)


def rollout(row: Rollout) -> Card:
    """An answer of RL and what it earned."""
    facts = {
        "step": f"{row.step}",
        "preference score": f"{row.preference_score:.2f}",
        "KL": f"{row.kl:.2f} nats",
        "advantage": f"{row.advantage:.2f}",
        "tokens": f"{row.tokens}",
        **{name: f"{score:.2f}" for name, score in row.terms.items()},
    }
    chips = [] if row.finished else [("mute", "cut off")]
    return Card(
        id=row.id,
        prompt_id=row.prompt_id,
        pieces=[Piece(label=f"Step {row.step}", text=clipped(row.text), chips=chips)],
        facts=[f"{name} {value}" for name, value in facts.items()],
        facets={"round": [str(row.step)]},
        order={"step": row.step, "score": row.preference_score, "kl": row.kl},
    )


def left_out(prompt: Prompt, stage: str, reasons: Sequence[str]) -> Card:
    """A prompt that a stage was given and kept nothing of."""
    why = f"The stage’s reasons, over all its rows: {', '.join(reasons)}." if reasons else ""
    caution = f"{stage} kept nothing of it. {why}"
    return Card(id=f"{stage}/{prompt.id}", prompt_id=prompt.id, pieces=(), caution=caution, facets={"kept": [DROPPED]})
