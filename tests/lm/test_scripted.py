from __future__ import annotations

import asyncio
import math
from dataclasses import replace
from typing import Any

import pytest

from solon.errors import SolonError, TooLongError
from solon.lm.engines.scripted import EVERYTHING, ScriptedModel, babble
from solon.lm.protocols import Completion, OptionScores, SampleRequest, Sampling, ScoreRequest
from solon.prompting.context import Context, Message


def complete(model: ScriptedModel, prompt: str = "p", *, seed: int = 0, max_new_tokens: int = 10) -> Completion:
    """The prompt is plain text."""
    sampling = Sampling(max_new_tokens=max_new_tokens)
    return asyncio.run(model.complete(Context(prefill=prompt), sampling, seed=seed))


def score(model: ScriptedModel, *options: str) -> OptionScores:
    return asyncio.run(model.score(Context(prefill="Is it?"), options or ("a", "b")))


def request(**changes: Any) -> SampleRequest:
    return SampleRequest(**{"prompt": "p", "seed": 0, "max_new_tokens": 10, **changes})


def test_a_reply_is_a_function_of_the_request_which_is_remembered() -> None:
    model = ScriptedModel(lambda request: f"{request.max_new_tokens} to {request.prompt}")
    assert [complete(model, prompt).text for prompt in ("a", "b")] == ["10 to a", "10 to b"]
    assert [request.prompt for request in model.sampled] == ["a", "b"]


def test_replies_obey_stop_strings_and_length() -> None:
    model = ScriptedModel(lambda request: " one two\n\nHuman: three")
    assert complete(model) == Completion(prompt="p", text="one two", tokens=3, ended="stop")
    assert complete(model, max_new_tokens=1) == Completion(prompt="p", text="one", tokens=1, ended="length")
    assert complete(ScriptedModel(lambda request: "one two")) == Completion(
        prompt="p", text="one two", tokens=3, ended="eos"
    )


def test_room_for_the_reply_counts_to_the_last_word_and_an_unknown_context_takes_all() -> None:
    def model(context: int | None) -> ScriptedModel:
        return ScriptedModel(lambda request: "x", can=replace(EVERYTHING, context=context))

    assert complete(model(15), "x " * 5, max_new_tokens=10).text == "x"
    with pytest.raises(TooLongError, match="15 tokens with the reply, more than the model's 14"):
        complete(model(14), "x " * 5, max_new_tokens=10)
    assert complete(model(None), "x " * 10**5).text == "x"


def test_a_context_is_rendered_as_the_paper_does() -> None:
    model = ScriptedModel(lambda request: "Yes.")
    asked = Context(messages=(Message("system", "Be brief."), Message("human", "Is it?")), prefill="I think")
    found = asyncio.run(model.complete(asked, Sampling(), seed=0))
    assert found.prompt == model.sampled[0].prompt == "Be brief.\n\nHuman: Is it?\n\nAssistant: I think"


def test_a_seed_that_leaves_the_house_is_a_signed_number() -> None:
    model = ScriptedModel(lambda request: "x")
    for seed in (5, (1 << 63) - 1, 1 << 63, (1 << 64) - 1):
        complete(model, seed=seed)
    assert [request.seed for request in model.sampled] == [5, (1 << 63) - 1, 0, (1 << 63) - 1]


def test_scores_are_a_function_of_the_request_too() -> None:
    half = (-math.log(2), -math.log(2))
    assert score(ScriptedModel()) == OptionScores(logprobs=half)
    model = ScriptedModel(score=lambda request: [-float(len(option)) for option in request.options])
    assert [score(model, *options).logprobs for options in (("a", "bb"), ("cc", "d"))] == [(-1.0, -2.0), (-2.0, -1.0)]
    assert model.scored[0] == ScoreRequest(prompt="Is it?", options=("a", "bb"))
    with pytest.raises(SolonError, match="1 scores for 2 options"):
        score(ScriptedModel(score=lambda request: (-1.0,)))


def test_of_the_likeliest_tokens_alone_the_others_are_bounded() -> None:
    model = ScriptedModel(score=lambda request: (-0.1, -9.0), can=replace(EVERYTHING, logprobs="top-k"), lowest=-5.0)
    assert score(model) == OptionScores(logprobs=(-0.1, -5.0), bounded=frozenset({1}))


def test_babble_is_a_function_of_the_seed() -> None:
    assert babble(request(seed=1)) == babble(request(seed=1)) != babble(request(seed=2))
