"""What is said of the answers, of the labels and of pairs of answers where somebody knows the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from solon.constitution.principles import Constitution
from solon.evals.answers import AnswerScore, Grader, ModelRole, judge_answer
from solon.evals.labels import Better
from solon.evals.preference import ScoredPair
from solon.feedback.made import Made
from solon.pipeline.sources import KnownTruth
from solon.records import Answer, Comparison, Prompt, Record, Revision

Prompts = Mapping[str, Prompt]
"""By id."""


class HeldOutMargin(Record):
    """A comparison that the preference model was not trained on, and what it makes of it."""

    id: str
    margin: float
    """Score of `a` minus score of `b`."""


def grade_answers(
    answers: Sequence[tuple[ModelRole, Answer]], prompts: Prompts, grader: Grader | None
) -> Made[AnswerScore]:
    """One score per model and answer; without a grader it holds what can be counted."""
    return Made(
        records=tuple(
            judge_answer(prompts[row.prompt_id], row.text, model=model, finished=row.finished, grader=grader)
            for model, row in answers
        )
    )


def grade_chains(chains: Sequence[Revision], prompts: Prompts, grader: Grader | None) -> list[AnswerScore]:
    """The assistant's answers to the training prompts after 0, 1, ... revisions."""
    return [
        judge_answer(prompts[chain.prompt_id], text, model="assistant", round=number, finished=finished, grader=grader)
        for chain in chains
        for number, (text, finished) in enumerate(
            zip(chain.texts, (None, *(step.finished for step in chain.rounds)), strict=True)
        )
    ]


def true_labels(
    labels: Sequence[Comparison], prompts: Prompts, constitution: Constitution, truth: KnownTruth | None
) -> dict[str, Better]:
    """For every AI label, by its id, which answer is truly better under the principle it was given by."""
    if truth is None:
        return {}
    questions = {principle.id: principle.comparison_question or "" for principle in constitution.principles}
    return {
        row.id: truth.better(prompts[row.prompt_id], row.a, row.b, questions[row.principle_id or ""]) for row in labels
    }


def held_out_pairs(
    margins: Sequence[HeldOutMargin], compared: Sequence[Comparison], known: Mapping[str, Better]
) -> list[ScoredPair]:
    """The comparisons that were kept out of the preference model's training, with its scores."""
    by_id = {row.id: row for row in compared}
    return [
        ScoredPair(
            prompt_id=by_id[kept.id].prompt_id,
            score_a=kept.margin,
            score_b=0.0,
            p_a_preferred=by_id[kept.id].p_a_preferred,
            better=known.get(kept.id),
        )
        for kept in margins
    ]


@dataclass(frozen=True, kw_only=True)
class FaultPair:
    """Graded answers of base and SL-CAI to one prompt that differ in one fault."""

    a: AnswerScore
    b: AnswerScore
    fault: str
    better: Better

    def scored(self, score_a: float, score_b: float) -> ScoredPair:
        """With the preference model's scores."""
        return ScoredPair(
            prompt_id=self.a.prompt_id, score_a=score_a, score_b=score_b, better=self.better, fault=self.fault
        )


def one_fault_apart(answers: Sequence[AnswerScore]) -> list[FaultPair]:
    """Every such pair, in the order of base's answers."""
    sl = {row.prompt_id: row for row in answers if row.model == "sl"}
    pairs = []
    for a in (row for row in answers if row.model == "base" and row.prompt_id in sl):
        b = sl[a.prompt_id]
        if a.grade and b.grade and len(differing := {*a.grade.faults()} ^ {*b.grade.faults()}) == 1:
            (fault,) = differing
            pairs.append(FaultPair(a=a, b=b, fault=fault, better="b" if fault in a.grade.faults() else "a"))
    return pairs
