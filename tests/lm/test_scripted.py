from __future__ import annotations

import math

import pytest

from solon.errors import SolonError
from solon.lm.protocols import LanguageModel, OptionRequest, OptionScores, WriteRequest, Written
from solon.lm.scripted import ScriptedModel, babble, equally_likely, not_numbers


def ask(prompt: str = "p", **changes: object) -> WriteRequest:
    return WriteRequest(**{"prompt": prompt, "seed": 0, "max_new_tokens": 10, **changes})  # type: ignore[arg-type]


def test_replies_in_order_then_an_error() -> None:
    model = ScriptedModel(["first", lambda request: f"second to {request.prompt}"])
    texts = [one.text for one in model.write([ask("a"), ask("b")])]
    assert texts == ["first", "second to b"]
    assert [request.prompt for request in model.written] == ["a", "b"]
    with pytest.raises(SolonError, match="ends before request 3"):
        model.write([ask("c")])


def test_the_first_pattern_that_is_found_counts() -> None:
    model = ScriptedModel({r"Critique:$": "rude", r"Rev": babble, "": "else"})
    prompts = ["x Critique:", "x Critique: y", "Revision:"]
    texts = [one.text for one in model.write([ask(prompt) for prompt in prompts])]
    assert texts[:2] == ["rude", "else"] and texts[2].endswith(".")
    with pytest.raises(SolonError, match="nothing for request 1"):
        ScriptedModel({"z": "z"}).write([ask("a")])


def test_replies_obey_stop_strings_and_length() -> None:
    model = ScriptedModel(lambda request: " one two\n\nHuman: three")
    assert model.write([ask(stop=("\n\nHuman:",))]) == [Written(text="one two", tokens=3, ended="stop")]
    assert model.write([ask()]) == [Written(text="one two\n\nHuman: three", tokens=5, ended="eos")]
    assert model.write([ask(max_new_tokens=2)]) == [Written(text="one two", tokens=2, ended="length")]


def test_scores_by_every_kind_of_script() -> None:
    request = OptionRequest(prompt="Is it?", options=("a", "b"))
    half = (-math.log(2), -math.log(2))
    assert ScriptedModel().score([request]) == [OptionScores(logprobs=half)]
    model = ScriptedModel(scores=[(-1.0, -2.0), equally_likely])
    assert [one.logprobs for one in model.score([request, request])] == [(-1.0, -2.0), half]
    assert ScriptedModel(scores={"Is": (0.0, -1.0)}).score([request])[0].logprobs == (0.0, -1.0)
    assert all(math.isnan(p) for p in ScriptedModel(scores=not_numbers).score([request])[0].logprobs)
    with pytest.raises(SolonError, match="1 scores for 2 options"):
        ScriptedModel(scores=[(-1.0,)]).score([request])


def test_babble_is_a_function_of_the_seed() -> None:
    assert babble(ask(seed=1)) == babble(ask(seed=1)) != babble(ask(seed=2))


def test_it_is_a_language_model_and_reports_progress() -> None:
    seen: list[tuple[int, int]] = []
    model: LanguageModel = ScriptedModel(["a b", "c"])
    model.write([ask(), ask()], progress=lambda rows, tokens: seen.append((rows, tokens)))
    assert seen == [(2, 5)]
