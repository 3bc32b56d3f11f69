"""Several answers to a scenario, ranked by its article alone and by the constitution as the run's judge goes by it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from statistics import fmean

from solon.constitution.principles import Principle
from solon.feedback.answers import IDENTICAL
from solon.feedback.judge import Judge
from solon.feedback.rows import Dropped, Rows, Sampler, note, run_rows
from solon.lm.batcher import together
from solon.prompting.context import dialogue
from solon.records import Comparison, Pair, Prompt, Ranking


def rank(
    scenarios: Sequence[Prompt],
    sampler: Sampler,
    judge: Judge,
    principles: Mapping[str, Principle],
    *,
    answers: int,
) -> Rows[Ranking]:
    """So many answers to each scenario, of which equal ones count once, compared two by two.

    `principles`: the articles by their ids. Scenarios with fewer than two different answers are dropped; verdicts that
    cannot be read are noted, and left out of the means.
    """

    async def row(prompt: Prompt) -> Ranking:
        assert prompt.principle_id is not None
        written = [
            sampler.complete(dialogue(prompt.turns), prompt.id, number, text="answer") for number in range(answers)
        ]
        texts = tuple(dict.fromkeys(one.text for one in await together(written)))
        if len(texts) < 2:
            raise Dropped(IDENTICAL, told=True)
        whole = await _compared(judge, prompt, texts, None)
        own = await _compared(judge, prompt, texts, principles[prompt.principle_id])
        ranking = Ranking(
            id=f"{prompt.id}.{sampler.stage}",
            prompt_id=prompt.id,
            principle_id=prompt.principle_id,
            answers=texts,
            by_article=standing(texts, own),
            by_document=standing(texts, whole),
            comparisons=whole,
            article_comparisons=own,
        )
        for label in ranking.labels:
            if label.unscored:
                note(f"unscored: {label.unscored}")
        return ranking

    return run_rows(map(row, scenarios))


async def _compared(
    judge: Judge, prompt: Prompt, texts: Sequence[str], principle: Principle | None
) -> tuple[Comparison, ...]:
    by = "article" if principle else "document"
    pairs = [
        Pair(id=f"{prompt.id}.{judge.sampler.stage}-{by}-{i}-{j}", prompt_id=prompt.id, a=texts[i], b=texts[j])
        for i, j in combinations(range(len(texts)), 2)
    ]
    return tuple(await together([judge.label(pair, prompt, principle) for pair in pairs]))


def standing(texts: Sequence[str], labels: Sequence[Comparison]) -> tuple[float | None, ...]:
    """For each text the mean probability that it is preferred to another; None if no verdict of it could be read.

    Example: a before b with 0.8, a before c with 0.6, b and c unread: 0.7, 0.2, 0.4.
    """
    wins: dict[str, list[float]] = {text: [] for text in texts}
    for label in labels:
        if label.p_a_preferred is not None:
            wins[label.a].append(label.p_a_preferred)
            wins[label.b].append(1.0 - label.p_a_preferred)
    return tuple(fmean(found) if (found := wins[text]) else None for text in texts)
