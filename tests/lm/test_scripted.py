from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from solon.config import SamplingSection
from solon.errors import SolonError, TooLongError
from solon.lm.protocols import Completion, OptionScores
from solon.lm.requests import OptionRequest, WriteRequest
from solon.lm.scripted import EVERYTHING, ScriptedModel, babble, equally_likely, not_numbers
from solon.prompting.context import Context, Message


def complete(model: ScriptedModel, prompt: str = "p", *, seed: int = 0, max_new_tokens: int = 10) -> Completion:
    """The prompt is plain text."""
    sampling = SamplingSection(max_new_tokens=max_new_tokens)
    return asyncio.run(model.complete(Context(prefill=prompt), sampling, seed=seed))


def score(model: ScriptedModel, *options: str) -> OptionScores:
    return asyncio.run(model.score(Context(prefill="Is it?"), options or ("a", "b")))


def request(**changes: Any) -> WriteRequest:
    return WriteRequest(**{"prompt": "p", "seed": 0, "max_new_tokens": 10, **changes})


def test_replies_in_order_then_an_error() -> None:
    model = ScriptedModel(["first", lambda request: f"second to {request.prompt}"])
    assert [complete(model, prompt).text for prompt in ("a", "b")] == ["first", "second to b"]
    assert [request.prompt for request in model.written] == ["a", "b"]
    with pytest.raises(SolonError, match="ends before request 3"):
        complete(model, "c")


def test_the_first_pattern_that_is_found_counts() -> None:
    model = ScriptedModel({r"Critique:$": "rude", r"Rev": babble, "": "else"})
    texts = [complete(model, prompt).text for prompt in ("x Critique:", "x Critique: y", "Revision:")]
    assert texts[:2] == ["rude", "else"] and texts[2].endswith(".")
    with pytest.raises(SolonError, match="nothing for request 1"):
        complete(ScriptedModel({"z": "z"}), "a")


def test_replies_obey_stop_strings_and_length() -> None:
    model = ScriptedModel(lambda request: " one two\n\nHuman: three")
    assert complete(model) == Completion(prompt="p", text="one two", tokens=3, ended="stop")
    assert complete(model, max_new_tokens=1) == Completion(prompt="p", text="one", tokens=1, ended="length")
    assert complete(ScriptedModel(["one two"])) == Completion(prompt="p", text="one two", tokens=3, ended="eos")


def test_room_for_the_reply_counts_to_the_last_word_and_an_unknown_context_takes_all() -> None:
    def model(context: int | None) -> ScriptedModel:
        return ScriptedModel(lambda request: "x", can=replace(EVERYTHING, context=context))

    assert complete(model(15), "x " * 5, max_new_tokens=10).text == "x"
    with pytest.raises(TooLongError, match="15 tokens with the reply, more than the model's 14"):
        complete(model(14), "x " * 5, max_new_tokens=10)
    assert complete(model(None), "x " * 10**5).text == "x"


def test_a_context_is_rendered_as_the_paper_does() -> None:
    model = ScriptedModel(["Yes."])
    asked = Context(messages=(Message("system", "Be brief."), Message("human", "Is it?")), prefill="I think")
    found = asyncio.run(model.complete(asked, SamplingSection(), seed=0))
    assert found.prompt == model.written[0].prompt == "Be brief.\n\nHuman: Is it?\n\nAssistant: I think"


def test_a_seed_that_leaves_the_house_is_a_signed_number() -> None:
    model = ScriptedModel(lambda request: "x")
    for seed in (5, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        complete(model, seed=seed)
    assert [request.seed for request in model.written] == [5, (1 << 63) - 1, 0, (1 << 63) - 1]


def test_scores_by_every_kind_of_script() -> None:
    half = (-math.log(2), -math.log(2))
    assert score(ScriptedModel()) == OptionScores(logprobs=half)
    model = ScriptedModel(scores=[(-1.0, -2.0), equally_likely])
    assert [score(model).logprobs for _ in range(2)] == [(-1.0, -2.0), half]
    assert model.scored == [OptionRequest(prompt="Is it?", options=("a", "b"))] * 2
    assert score(ScriptedModel(scores={"Is": (0.0, -1.0)})).logprobs == (0.0, -1.0)
    assert all(math.isnan(p) for p in score(ScriptedModel(scores=not_numbers)).logprobs)
    with pytest.raises(SolonError, match="1 scores for 2 options"):
        score(ScriptedModel(scores=[(-1.0,)]))


def test_of_the_likeliest_tokens_alone_the_others_are_bounded() -> None:
    model = ScriptedModel(scores={"": (-0.1, -9.0)}, can=replace(EVERYTHING, logprobs="top-k"), lowest=-5.0)
    assert score(model) == OptionScores(logprobs=(-0.1, -5.0), bounded=frozenset({1}))


def test_babble_is_a_function_of_the_seed() -> None:
    assert babble(request(seed=1)) == babble(request(seed=1)) != babble(request(seed=2))
