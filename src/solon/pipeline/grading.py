"""Answers, labels and pairs of answers as the evaluation takes them, with the ground truth where there is any."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from solon.constitution.precedence import hard_constraints
from solon.constitution.principles import WHOLE, Constitution
from solon.evals.grader import HELD_OUT, REVISIONS, GraderCard, Response, Score
from solon.evals.labels import Better
from solon.evals.preference import ScoredPair
from solon.pipeline.sources import GroundTruth
from solon.records import Answer, Comparison, Prompt, Record, Revision

Prompts = Mapping[str, Prompt]
"""By id."""


class HeldOutMargin(Record):
    """A comparison that the preference model, or DPO-CAI, was not trained on, and what it makes of it."""

    id: str
    margin: float
    """Score of `a` minus score of `b`. Of DPO-CAI, beta times log-ratio to SL-CAI is the score."""


def held_out_responses(model: str, answers: Sequence[Answer], prompts: Prompts) -> list[Response]:
    """A model's answers to the held-out prompts."""
    return [
        Response(task=HELD_OUT, model=model, prompt=prompts[row.prompt_id], text=row.text, finished=row.finished)
        for row in answers
    ]


def chain_responses(chains: Sequence[Revision], prompts: Prompts) -> list[Response]:
    """Every answer of the assistant's chains. Whether the first of a chain was cut off is not kept."""
    return [
        Response(
            task=REVISIONS,
            model=f"assistant@{number}",
            prompt=prompts[chain.prompt_id],
            text=text,
            finished=finished,
        )
        for chain in chains
        for number, (text, finished) in enumerate(chain.standing)
    ]


def true_labels(
    labels: Sequence[Comparison], prompts: Prompts, constitution: Constitution, truth: GroundTruth | None
) -> dict[str, Better]:
    """For every AI label, by its id, which answer is truly better under the principle it was given by; under several,
    by all of their words together."""
    if truth is None:
        return {}
    principles = (*constitution.principles, *hard_constraints(constitution))
    questions = {principle.id: principle.comparison_question or "" for principle in principles}
    questions[WHOLE] = "\n".join(questions.values())

    def better(row: Comparison) -> Better:
        names = [row.principle_id] if row.principle_id else [one.principle_id for one in row.verdicts]
        asked = "\n".join(questions[name] for name in dict.fromkeys(names))
        return truth.better(prompts[row.prompt_id], row.a, row.b, asked)

    return {row.id: better(row) for row in labels}


def held_out_pairs(
    margins: Sequence[HeldOutMargin], compared: Sequence[Comparison], known: Mapping[str, Better]
) -> list[ScoredPair]:
    """The comparisons that were kept out of the preference model's training, with its scores."""
    by_id = {row.id: row for row in compared}
    return [
        ScoredPair(margin=kept.margin, p_a_preferred=row.p_a_preferred, better=known.get(row.id), prompt=row.prompt_id)
        for kept, row in ((kept, by_id[kept.id]) for kept in margins)
    ]


def one_fault_apart(
    responses: Sequence[Response], scores: Sequence[Score], card: GraderCard
) -> list[tuple[Response, Response, str]]:
    """Answers of base and SL-CAI to one prompt of which one has a fault, that fault alone, and the other has not.

    The answer that has it comes first. `card`: of the grader who knows the faults.
    """
    answers = {(one.model, one.prompt.id): one for one in responses if one.task == HELD_OUT}
    faults = {
        (row.model, row.item): {name for name in card.names("lower") if row.has(name)}
        for row in scores
        if row.task == HELD_OUT and row.grader == card.name and row.values
    }
    pairs = []
    for model, item in faults:
        base, sl = ("base", item), ("sl", item)
        if model == "base" and sl in faults and len(differing := faults[base] ^ faults[sl]) == 1:
            (fault,) = differing
            worse, better = (base, sl) if fault in faults[base] else (sl, base)
            pairs.append((answers[worse], answers[better], fault))
    return pairs
