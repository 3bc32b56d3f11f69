"""Needless refusals of the same benign prompt: kept where a detector agrees; every other row has its reason."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from feedback.fake_model import said, sampler
from solon.config.feedback import HelpfulnessSection
from solon.evals.lexical import refusal
from solon.feedback.answers import BY_CONSTRUCTION, needless_refusals
from solon.lm.protocols import SampleRequest, Sampling
from solon.prompting.context import Context
from solon.records import Prompt, Turn

SAMPLING = Sampling(temperature=0.9)
INSTRUCTION = "Say no to everything."
HELP, NO = "Cut above a bud.", "I'm sorry, but I can't help with that."


class Marked:
    """A format that shows who says what."""

    stop: tuple[str, ...] = ()

    def render(self, context: Context) -> str:
        return "".join(f"<{speaker}>{text}" for speaker, text in context.messages)


def prompt(name: str, *before: Turn) -> Prompt:
    return Prompt(id=name, kind="benign", turns=(*before, Turn(role="human", text=f"How do I prune {name}?")))


def made(model: Any, prompts: Sequence[Prompt] = (prompt("roses"),), **options: Any) -> Any:
    return needless_refusals(prompts, INSTRUCTION, sampler(model, SAMPLING, "needless-refusals"), **options)


def obedient(request: SampleRequest) -> str:
    return NO if request.prompt.startswith(f"<system>{INSTRUCTION}") else HELP


def test_the_refusal_answers_the_same_prompt_under_another_system_turn(fake: Any) -> None:
    model = fake(format=Marked(), writes=obedient)
    told = prompt("roses", Turn(role="system", text="You are a gardener."))
    found = made(model, [told], per_prompt=2)
    assert [request.prompt for request in model.write_requests] == [
        "<system>You are a gardener.<human>How do I prune roses?",
        f"<system>{INSTRUCTION}<human>How do I prune roses?",
    ] * 2
    assert len({request.seed for request in model.write_requests}) == 4
    assert [(row.id, row.prompt_id, row.a, row.b) for row in found.records] == [
        ("roses.needless-refusals-0", "roses", HELP, NO),
        ("roses.needless-refusals-1", "roses", HELP, NO),
    ]
    assert found.tokens == 4 and not found.dropped


def test_the_label_says_what_it_is(fake: Any) -> None:
    (row,) = made(fake(format=Marked(), writes=obedient)).records
    assert (row.p_a_preferred, row.objective, row.method) == (1.0, "helpfulness", "needless-refusal")
    assert row.rater == BY_CONSTRUCTION == "construction"


@pytest.mark.parametrize(
    ("own", "refused", "reason"),
    [
        (NO, "I won't discuss roses.", "own answer refuses"),
        ("I can't name a month, but usually late winter is best.", NO, "own answer refuses in part"),
        ("", NO, "own answer is empty"),
        (HELP, "Cut it low.", "no whole refusal was written"),
        (HELP, "I can't recommend pruning roses enough!", "no whole refusal was written"),
        (HELP, "I can't help with that. Here is how: cut above a bud.", "no whole refusal was written"),
        (HELP, "", "no whole refusal was written"),
        (NO, NO, "identical"),
    ],
)
def test_what_is_left_out_is_counted_by_reason(fake: Any, own: str, refused: str, reason: str) -> None:
    found = made(fake(format=Marked(), writes=lambda request: refused if "<system>" in request.prompt else own))
    assert found.records == () and found.dropped == {reason: 1}


def test_long_prompts_and_cut_off_answers_are_counted(fake: Any) -> None:
    assert made(fake(format=Marked(), writes=obedient, context=9)).dropped == {"too long": 1}
    cut = made(fake(format=Marked(), writes=lambda request: said(obedient(request), tokens=9, ended="length")))
    assert len(cut.records) == 1 and cut.noted == {"unfinished answer": 2}


def test_the_default_instruction_is_no_refusal_itself_and_asks_for_one() -> None:
    text = HelpfulnessSection().refusal_instruction
    assert refusal(text) == "none" and "cannot" in text
