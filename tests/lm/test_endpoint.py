"""The endpoint engine, asked over real sockets, on good days and bad ones."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from lm.contract import ASK, OPTIONS, SAMPLING, EngineContract, run
from lm.server import Server, serving
from lm.test_engines import reply
from solon.errors import (
    ConfigError,
    EngineError,
    EngineUnavailableError,
    GarbledError,
    RefusedError,
    TimedOutError,
    UnsupportedError,
)
from solon.lm.batcher import together
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.engines.endpoint import Endpoint, EndpointModel, Turns, option_scores
from solon.lm.protocols import LanguageModel
from solon.prompting.dialogue import HumanAssistant


def endpoint(server: Server, **changes: Any) -> Endpoint:
    return replace(Endpoint(url=server.url, model="m", timeout=5.0), **changes)


class TestCompletions(EngineContract):
    @pytest.fixture(autouse=True)
    def _server(self) -> Iterator[None]:
        with serving(reply) as self.server:
            yield

    def engine(self, context: int) -> LanguageModel:
        return EndpointModel(endpoint(self.server))


class TestChat(TestCompletions):
    def engine(self, context: int) -> LanguageModel:
        return EndpointModel(endpoint(self.server, api="chat"))


def test_a_token_speaks_for_the_option_that_it_begins() -> None:
    scores = option_scores(["A)", "B)"], {"A": math.log(0.6), "A)": math.log(0.1), "The": math.log(0.2)})
    assert scores.logprobs == pytest.approx((math.log(0.7), math.log(0.1)))
    assert scores.bounded == {1}
    assert not option_scores(["A)", "B)"], {"A": -0.1, "B": -9.0}).bounded
    assert option_scores(["A)", "B)"], {"The": -0.1}).bounded == {0, 1}


def test_options_are_scored_where_they_differ() -> None:
    with serving(top={"A": -0.2, "B": -1.9}) as server:
        assert run(EndpointModel(endpoint(server)).score(ASK, OPTIONS)).logprobs == pytest.approx((-0.2, -1.9))
    (asked,) = server.asked
    assert asked["prompt"].endswith("Assistant: (") and asked["max_tokens"] == 1 and asked["logprobs"] == 20


@pytest.mark.parametrize("fault", ["429", "500", "reset"])
def test_what_passes_is_asked_again(fault: Any) -> None:
    with serving(reply, faults=lambda number: fault if number < 2 else None) as server:
        found = run(EndpointModel(endpoint(server)).complete(ASK, SAMPLING, seed=1))
        assert found.text and len(server.asked) == 3


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("500", EngineError),
        ("429", EngineError),
        ("html", GarbledError),
        ("truncated", GarbledError),
        ("no choices", GarbledError),
        ("slow", TimedOutError),
        ("filtered", RefusedError),
        ("reset", EngineError),
    ],
)
def test_a_failure_has_its_name(fault: Any, error: type[Exception]) -> None:
    with serving(reply, faults=lambda number: fault) as server:
        model = EndpointModel(endpoint(server, retries=1, timeout=0.5))
        with pytest.raises(error) as caught:
            run(model.complete(ASK, SAMPLING, seed=1))
        assert type(caught.value) is error


def test_no_log_probabilities_are_no_verdict() -> None:
    with serving(reply, faults=lambda number: "no logprobs") as server, pytest.raises(UnsupportedError):
        run(EndpointModel(endpoint(server)).score(ASK, OPTIONS))


def test_no_more_requests_at_once_than_allowed() -> None:
    with serving(reply, delay=0.02) as server:
        model = EndpointModel(endpoint(server, concurrency=5))
        found = run(together([model.complete(ASK, SAMPLING, seed=seed) for seed in range(40)]))
        assert len(found) == 40 and 3 <= server.busiest <= 5


def test_fewer_while_the_server_says_they_are_too_many() -> None:
    async def scene() -> list[float]:
        turns, seen = Turns(8), []
        for status in (429, 503, 200, 200, 400, 200):
            turns.heed(status)
            seen.append(turns.now)
        return seen

    assert asyncio.run(scene()) == pytest.approx([4, 2, 2.5, 2.9, 2.9, 2.9 + 1 / 2.9])


def test_a_budget_is_never_exceeded() -> None:
    with serving(reply) as server:
        model = EndpointModel(endpoint(server, token_budget=400))
        with pytest.raises(EngineUnavailableError, match="might exceed the budget of 400 tokens"):
            run(together([model.complete(ASK, SAMPLING, seed=seed) for seed in range(60)]))
        assert 0 < len(server.asked) < 60 and model.tokens <= 400


def test_the_key_goes_to_the_server_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOLON_API_KEY", "secret-7")
    with serving(reply) as server:
        model = EndpointModel(endpoint(server))
        run(model.complete(ASK, SAMPLING, seed=1))
        assert server.keys == {"Bearer secret-7"}
        assert "secret" not in f"{model.identity} {model.endpoint}"


def test_a_server_that_is_not_there_ends_the_stage() -> None:
    with serving() as server:
        gone = endpoint(server, retries=0)
    with pytest.raises(EngineUnavailableError, match=r"cannot be reached.*start the server, then `solon resume`"):
        run(EndpointModel(gone).complete(ASK, SAMPLING, seed=1))


def test_a_third_of_all_requests_go_wrong() -> None:
    """Every row ends in a reply or a named failure, and no reply is invented."""
    kinds: list[Any] = ["429", "500", "html", "truncated", "no choices", "filtered"]
    with serving(reply, faults=lambda number: kinds[number // 3 % 6] if number % 3 == 0 else None) as server:
        model = EndpointModel(endpoint(server, retries=0))

        async def outcome(seed: int) -> str:
            try:
                return (await model.complete(ASK, SAMPLING, seed=seed)).text
            except EngineError as error:
                return type(error).__name__

        found = run(together([outcome(seed) for seed in range(180)]))
    failed = {name: found.count(name) for name in ("EngineError", "GarbledError", "RefusedError")}
    assert failed == {"EngineError": 20, "GarbledError": 30, "RefusedError": 10}
    assert all(text for text in found)


def test_names_of_models() -> None:
    def spec(model: str) -> ModelSpec:
        return ModelSpec(model=model, format=HumanAssistant())

    assert open_engine("endpoint", spec("http://h:1/v1#a/b")).identity == "endpoint:http://h:1/v1#a/b"
    for name in ("http://h:1/v1", "h:1/v1#m", "folder"):
        with pytest.raises(ConfigError, match="names no model on a server"):
            open_engine("endpoint", spec(name))
