"""What every engine promises. An engine is tested by a class of its own that says how to make one:

    class TestLocalModel(EngineContract):
        def engine(self, context: int) -> LanguageModel: ...

It must reply with at least one token to `ASK`, and nothing else may be assumed of what it says.
"""

from __future__ import annotations

import asyncio
import math
from abc import abstractmethod
from collections.abc import Coroutine
from dataclasses import replace
from typing import Any, TypeVar

import pytest

from solon.errors import EngineError, TooLongError, UnsupportedError
from solon.lm.batcher import run as run_rows
from solon.lm.batcher import together
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.prompting import context
from solon.prompting.context import Context
from solon.prompting.dialogue import DELIMITERS
from solon.records import Turn

T = TypeVar("T")
ROOM = 256
"""Tokens of context of the engines under test."""
SAMPLING = Sampling(max_new_tokens=8)


def ask(text: str = "How do I give the ladder back?") -> Context:
    return context.dialogue([Turn(role="human", text=text)])


ASK = ask()
OPTIONS = (" (A)", " (B)")
LARGE_SEED = (1 << 64) - 1


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    return asyncio.run(coroutine)


class EngineContract:
    """See the module."""

    @abstractmethod
    def engine(self, context: int) -> LanguageModel:
        """A new one that reads `context` tokens, always the same."""

    @pytest.fixture
    def model(self) -> LanguageModel:
        return self.engine(ROOM)

    def complete(self, model: LanguageModel, asked: Context = ASK, *, seed: int = 0, **changes: Any) -> Completion:
        sampling = replace(SAMPLING, **changes)
        return run(model.complete(asked, sampling, seed=seed))

    def test_it_says_who_it_is(self, model: LanguageModel) -> None:
        assert model.identity and model.identity == self.engine(ROOM).identity

    def test_it_says_how_much_it_reads(self, model: LanguageModel) -> None:
        assert model.can.context in (ROOM, None)

    def test_a_reply_is_bare_and_within_its_limit(self, model: LanguageModel) -> None:
        for seed in range(4):
            found = self.complete(model, seed=seed)
            assert found.text == found.text.strip() and 1 <= found.tokens <= SAMPLING.max_new_tokens
            assert not any(mark in found.text for mark in DELIMITERS)
            assert found.truncated == (found.ended == "length")
            assert ASK.messages[0].text in found.prompt

    def test_the_limit_cuts(self, model: LanguageModel) -> None:
        """Also a reply that would end with the next token."""
        for limit in range(1, 13):
            found = self.complete(model, max_new_tokens=limit)
            assert found.tokens == limit if found.truncated else found.tokens <= limit

    def test_the_same_seed_gives_the_same_reply_in_any_company(self, model: LanguageModel) -> None:
        if not model.can.seed:
            return
        alone = [self.complete(self.engine(ROOM), seed=seed) for seed in range(5)]
        asked = [model.complete(ASK, SAMPLING, seed=seed) for seed in range(5)]
        others = [model.complete(ask(f"Other {number}?"), SAMPLING, seed=number) for number in range(5)]
        assert run(together([*others, *asked]))[5:] == alone

    def test_seeds_of_64_bits_are_taken(self, model: LanguageModel) -> None:
        assert self.complete(model, seed=LARGE_SEED) == self.complete(self.engine(ROOM), seed=LARGE_SEED)

    def test_greedily_the_seed_says_nothing(self, model: LanguageModel) -> None:
        one, other = (self.complete(model, seed=seed, temperature=0.0) for seed in (1, 2))
        assert (one.text, one.tokens) == (other.text, other.tokens)

    def test_a_row_that_is_too_long_fails_alone(self, model: LanguageModel) -> None:
        if model.can.context is None:
            return
        long = ask("long " * ROOM)

        async def outcome(asked: Context) -> Completion | EngineError:
            try:
                return await model.complete(asked, SAMPLING, seed=0)
            except EngineError as error:
                return error

        first, second, third = run(together(map(outcome, (ASK, long, ASK))))
        assert isinstance(second, TooLongError) and second.reason == "too long"
        assert first == third == self.complete(self.engine(ROOM))
        with pytest.raises(TooLongError):
            self.complete(model, max_new_tokens=ROOM)
        if model.can.logprobs != "none":
            with pytest.raises(TooLongError):
                run(model.score(long, OPTIONS))

    def test_a_row_that_gives_up_leaves_the_others_alone(self, model: LanguageModel) -> None:
        async def rows() -> list[Completion]:
            tasks = [asyncio.create_task(model.complete(ASK, SAMPLING, seed=seed)) for seed in range(3)]
            await asyncio.sleep(0)
            tasks[1].cancel()
            found = await asyncio.gather(*tasks, return_exceptions=True)
            return [one for one in found if not isinstance(one, asyncio.CancelledError)]

        assert {self.complete(self.engine(ROOM), seed=seed) for seed in (0, 2)} <= set(run(rows()))

    def test_it_serves_one_loop_after_another(self, model: LanguageModel) -> None:
        assert self.complete(model) == self.complete(self.engine(ROOM))
        assert self.complete(model, seed=1) == self.complete(self.engine(ROOM), seed=1)

    def test_it_serves_where_a_loop_runs_already(self, model: LanguageModel) -> None:
        async def cell() -> Completion:
            return run_rows(model.complete(ASK, SAMPLING, seed=0))

        assert run(cell()) == self.complete(self.engine(ROOM))

    def test_options_have_log_probabilities_or_bounds(self, model: LanguageModel) -> None:
        if model.can.logprobs == "none":
            with pytest.raises(UnsupportedError):
                run(model.score(ASK, OPTIONS))
            return
        scores = run(model.score(ASK, OPTIONS))
        assert len(scores.logprobs) == len(OPTIONS) and all(value <= 1e-3 for value in scores.logprobs)
        assert all(math.isfinite(value) for value in scores.logprobs)
        assert scores.bounded <= set(range(len(OPTIONS))) and (model.can.logprobs == "top-k" or not scores.bounded)
        assert math.fsum(map(math.exp, scores.logprobs)) <= 1 + 1e-3 or scores.bounded
        seen = [value for place, value in enumerate(scores.logprobs) if place not in scores.bounded]
        assert all(scores.logprobs[place] <= min(seen, default=0.0) for place in scores.bounded)
        swapped = run(model.score(ASK, OPTIONS[::-1]))
        assert swapped.logprobs == pytest.approx(scores.logprobs[::-1], abs=1e-4)

    def test_a_reply_can_be_begun(self, model: LanguageModel) -> None:
        begun = Context(messages=ASK.messages, prefill="The answer is:")
        if not model.can.prefill:
            with pytest.raises(UnsupportedError):
                self.complete(model, begun)
            return
        found = self.complete(model, begun)
        assert found.prompt.endswith("The answer is:") and "The answer is:" not in found.text

    def test_speakers_of_the_paper_are_understood(self, model: LanguageModel) -> None:
        turns = [Turn(role="system", text="Be brief."), Turn(role="human", text="Open it?")]
        for asked in (
            context.critique(turns, "Yes.", "Why not?"),
            context.revision(turns, "Yes.", "Mend it.", critique=("Why not?", "Theft.")),
        ):
            found = self.complete(model, asked)
            assert all(text in found.prompt for _, text in asked.messages)
