"""Helpfulness data from a file: human comparisons, and answers worth imitating."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from pathlib import Path

from solon.config import ReadingSection
from solon.prompts.forms import answers_of
from solon.prompts.labels import attribution, p_first
from solon.prompts.reading import Example, Reading, RowFields
from solon.prompts.turns import prompt_id
from solon.records import Comparison, Demonstration, Prompt


def read_helpful(source: str | Path, how: ReadingSection | None = None) -> tuple[list[Example], Reading]:
    """Each example of a file once, in memory, and the counts of the reading.

    Raises `PromptError` with every fault of the file, or if it holds no usable row.
    """
    how = how or ReadingSection()
    reading = Reading(source, how)
    return reading.distinct(partial(helpful_example, how=how), "helpfulness example"), reading


def helpful_example(given: RowFields, *, how: ReadingSection) -> Example:
    """A row as a benign prompt with its answers, the better one first. Raises `Malformed` or `Unusable`."""
    found = answers_of(given.fields)
    answers = found.answers
    first = found.sides[0] if found.sides else None
    by, p = attribution(given.fields, first), p_first(given.fields, first, how) if first else 1.0
    if p == 0.0:
        answers, by, p = answers[::-1], by.swap(), 1.0
    prompt = Prompt(id=prompt_id("benign", found.turns), kind="benign", turns=found.turns, source=given.source)
    return Example(row=given.row, prompt=prompt, answers=answers, p_first=p, by=by)


def prompts_of(examples: Iterable[Example]) -> tuple[Prompt, ...]:
    """Each prompt once, as it came first."""
    prompts: dict[str, Prompt] = {}
    for example in examples:
        prompts.setdefault(example.prompt.id, example.prompt)
    return tuple(prompts.values())


def comparisons_of(examples: Iterable[Example], file: str) -> tuple[Comparison, ...]:
    """Those with two answers. `file`: what they are said to come from."""
    return tuple(
        Comparison(
            id=example.id,
            prompt_id=example.prompt.id,
            a=example.answers[0],
            b=example.answers[1],
            p_a_preferred=example.p_first,
            rater="human",
            objective="helpfulness",
            method=file,
            model_a=example.by.model,
            model_b=example.by.other_model,
            rater_id=example.by.rater_id,
            session=example.by.session,
        )
        for example in examples
        if len(example.answers) == 2
    )


def demonstrations_of(examples: Iterable[Example]) -> tuple[Demonstration, ...]:
    """Those with one answer."""
    return tuple(
        Demonstration(id=one.id, prompt_id=one.prompt.id, answer=one.answers[0], source="helpful", model=one.by.model)
        for one in examples
        if len(one.answers) == 1
    )
