"""What is read, what is not read again, who enters when, and who fails."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from lm.scoring import score
from solon.errors import EngineError, NoNumbersError, TooLongError
from solon.lm.batcher import run, together
from solon.lm.engines.local import LocalModel
from solon.lm.prefixes import CHUNK, TRUNK_ROWS, TRUNK_TOKENS, common_length
from solon.lm.protocols import Completion, SampleRequest, Sampling, ScoreRequest
from solon.lm.reader import PackedReader
from solon.models.load import LoadedModel
from solon.prompting.context import Context
from tiny_models import Family, tiny_model, tiny_tokenizer

LONG = "\n\nHuman: Here is a long example that all prompts share.\n\nAssistant: Yes." * 8


def engine(family: Family = "llama", *, ends: bool = True, **settings: Any) -> LocalModel:
    tokenizer = tiny_tokenizer()
    model = tiny_model(family)
    if not ends:
        tokenizer.eos_token = None
        model.config.eos_token_id = model.generation_config.eos_token_id = None
    return LocalModel(LoadedModel(model=model, tokenizer=tokenizer, path=Path("tiny")), **settings)


def write(model: LocalModel, prompt: str, seed: int, tokens: int = 12, temperature: float = 1.0) -> Any:
    sampling = Sampling(max_new_tokens=tokens, temperature=temperature)
    return model.complete(Context(prefill=prompt), sampling, seed=seed)


def bare(model: LocalModel) -> LocalModel:
    """Without stop strings, so that every reply has its whole length."""

    class Bare:
        stop = ()

        def render(self, context: Context) -> str:
            return context.prefill

    model._format = Bare()  # type: ignore[assignment]
    return model


def ids(model: LocalModel, text: str) -> int:
    return model.count_tokens(text)


def test_a_chain_reads_only_what_is_new() -> None:
    model = bare(engine(ends=False))
    asked = []

    async def chain(number: int) -> None:
        text = f"{number}: " + LONG[:200]
        for step in range(3):
            asked.append(text)
            reply: Completion = await write(model, text, 10 * number + step)
            text = reply.prompt + reply.text + "\n\nNow say it again, and more kindly."

    run(together(map(chain, range(4))))
    whole = sum(ids(model, text) + 11 for text in asked)
    lasts = sum(ids(model, text) + 11 for text in asked[-4:])
    assert model.counts.drawn == 3 * 4 * 12
    assert model.counts.read + model.counts.reused == whole
    assert model.counts.read < lasts + 4 * 2 * 16  # where texts are cut otherwise than they were drawn, a few again


def test_both_orders_and_both_options_share_what_they_begin_with() -> None:
    model = engine()
    tails = ("The first is (A).", "Quite another thing.")
    options = (" the ladder (A)", " the ladder (B)")
    score(model, [ScoreRequest(prompt=LONG + tail, options=options) for tail in tails])
    assert model.counts.read < ids(model, LONG) + 2 * (CHUNK + 30)
    assert model.counts.reused > 2 * ids(model, LONG)


def test_what_many_share_is_a_trunk() -> None:
    """It is read once, and has one place for all rows."""
    rows = [SampleRequest(prompt=f"{LONG}{n}", seed=n, max_new_tokens=5) for n in range(TRUNK_ROWS)]
    model = engine(ends=False)
    whole, held = model.count_tokens(LONG), []
    assert whole > TRUNK_TOKENS
    watch(held)
    model.sample(rows)
    assert model.counts.read < whole + TRUNK_ROWS * (CHUNK + 8)
    assert max(held) < 2 * whole + TRUNK_ROWS * 64
    alone = [engine(ends=False).sample([row])[0] for row in rows]
    assert alone == engine(ends=False).sample(rows)


def watch(held: list[int]) -> None:
    """Notes how many tokens every step had memory for."""
    read = PackedReader.read

    def noting(self: PackedReader, pieces: Any) -> Any:
        logits = read(self, pieces)
        held.append(self._cache.held)
        return logits

    patch.setattr(PackedReader, "read", noting)


patch = pytest.MonkeyPatch()


@pytest.fixture(autouse=True)
def _unpatched() -> Any:
    yield
    patch.undo()


@pytest.mark.parametrize("family", ["llama", "gpt_neox"])
def test_the_budget_is_kept_and_changes_no_text(family: Family) -> None:
    prompts = [LONG[: 40 + 37 * (n % 11)] + str(n) for n in range(40)]
    rows = [SampleRequest(prompt=text, seed=n, max_new_tokens=20, temperature=0.0) for n, text in enumerate(prompts)]
    free = engine(family).sample(rows)
    held: list[int] = []
    watch(held)
    for budget in (800, 2000):
        held.clear()
        tight = engine(family, budget=budget).sample(rows)
        assert tight == free
        for one, other in zip(tight, free, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-4)
        assert budget / 2 < max(held) <= budget


def test_a_chain_within_a_budget() -> None:
    """Rows that are let in later, rows whose beginnings had to go, and rows that outgrow their blocks."""

    def texts(budget: int) -> list[str]:
        model = engine(budget=budget)

        async def chain(number: int) -> str:
            text = f"{number}: " + LONG[: 30 * number]
            for step in range(3):
                text += (await write(model, text, 10 * number + step, 5 + 17 * (number % 3), 0.0)).text + " More?"
            return text

        return run(together(map(chain, range(12))))

    free = texts(1 << 16)
    held: list[int] = []
    watch(held)
    assert texts(1200) == free
    assert 600 < max(held) <= 1200


@pytest.mark.parametrize("seed", range(2))
def test_sharing_of_every_kind_changes_nothing(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Texts of a few parts, so that beginnings of all lengths are shared, by trunks, copies and rows that go on."""
    rng = np.random.Generator(np.random.Philox(key=seed))
    parts = [LONG[start : start + length] for start, length in ((0, 70), (9, 110), (30, 40), (2, 25))]
    picks = rng.integers(0, len(parts), size=(12, 6))

    def texts(**settings: Any) -> list[Completion]:
        model = engine("qwen2", **settings)

        async def chain(number: int) -> list[Completion]:
            text, replies = "", []
            for step in range(3):
                text += "".join(parts[part] for part in picks[number, 2 * step : 2 * step + 2])
                replies.append(await write(model, text, 0, 3 + 11 * (number % 3), 0.0))
                text += replies[-1].text
            return replies

        return [reply for replies in run(together(map(chain, range(len(picks))))) for reply in replies]

    monkeypatch.setattr("solon.lm.prefixes.CHUNK", 10**6)
    apart = texts()
    for name, value in (("CHUNK", 4), ("TRUNK_ROWS", 3), ("TRUNK_TOKENS", 8)):
        monkeypatch.setattr(f"solon.lm.prefixes.{name}", value)
    for settings in ({}, {"budget": 1300}, {"budget": 2000, "batch_size": 5}):
        shared = texts(**settings)
        assert shared == apart
        for one, other in zip(shared, apart, strict=True):
            assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)


def test_a_request_that_is_more_than_the_budget_fails_alone() -> None:
    model = engine(budget=300)

    async def outcome(text: str) -> Completion | EngineError:
        try:
            return await write(model, text, 0)
        except EngineError as error:
            return error

    found = run(together(map(outcome, ("Hello?", LONG, "Hello?"))))
    assert isinstance(found[1], TooLongError) and "more than there is memory for" in str(found[1])
    assert found[0] == found[2] == run(write(engine(), "Hello?", 0))


def test_a_row_that_is_no_numbers_fails_alone() -> None:
    """Its token has an embedding that is none; those who get its place later are well."""
    model, tokenizer = engine(budget=500), tiny_tokenizer()
    (poison,) = tokenizer.encode("@")
    with torch.no_grad():
        model.loaded.model.get_output_embeddings().weight = torch.nn.Parameter(
            model.loaded.model.get_input_embeddings().weight.clone()
        )
        model.loaded.model.get_input_embeddings().weight[poison] = float("nan")

    async def outcome(number: int) -> Completion | EngineError:
        try:
            return await write(model, "Hello @?" if number == 1 else "Hello?", number, tokens=1)
        except EngineError as error:
            return error

    found = run(together(map(outcome, range(30))))
    assert isinstance(found[1], NoNumbersError)
    assert [number for number, one in enumerate(found) if isinstance(one, EngineError)] == [1]


def steps(model: LocalModel, rows: Callable[[LocalModel], Any]) -> list[list[tuple[int, ...]]]:
    """Every step's tokens."""
    seen: list[list[tuple[int, ...]]] = []
    read = PackedReader.read

    def noting(self: PackedReader, pieces: Any) -> Any:
        seen.append([tuple(one.sequence.ids[one.sequence.known :][: one.count]) for one in pieces])
        return read(self, pieces)

    patch.setattr(PackedReader, "read", noting)
    rows(model)
    patch.undo()
    return seen


def test_steps_follow_from_the_rows_whatever_the_clock_says() -> None:
    async def chain(model: LocalModel, number: int, pause: float) -> None:
        text = LONG[: 20 + 20 * number]
        for step in range(3):
            text += (await write(model, text, 10 * number + step, 4 + number)).text
            for _ in range(number % 3):
                await asyncio.sleep(0)

    def rows(model: LocalModel) -> None:
        run(together(chain(model, number, 0) for number in range(9)))

    first, second = (steps(engine(budget=2000, batch_size=4), rows) for _ in range(2))
    assert first == second and len(first) > 20
    assert max(map(len, first)) == 4


def test_long_prompts_are_read_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [SampleRequest(prompt=LONG[: 100 + 50 * n], seed=n, max_new_tokens=6) for n in range(5)]
    whole = engine().sample(rows)
    monkeypatch.setattr("solon.lm.scheduler.PIECE_TOKENS", 16)
    model = engine()
    seen = steps(model, lambda model: model.sample(rows))
    assert max(sum(map(len, step)) for step in seen) <= 16 + len(rows)
    assert [one.answer_ids for one in engine().sample(rows)] == [one.answer_ids for one in whole]


def test_a_row_enters_when_another_leaves() -> None:
    """Two at a time: the third begins while the second goes on."""
    rows = [SampleRequest(prompt=f"Hello {n}?", seed=n, max_new_tokens=limit) for n, limit in enumerate((2, 12, 2))]
    seen = steps(engine(ends=False, batch_size=2), lambda model: model.sample(rows))
    assert [len(step) for step in seen] == [2, 2, 2, 2, *[1] * 8]


def test_common_length() -> None:
    assert [common_length([1, 2, 3], other) for other in ([1, 2, 4], [1, 2], [], [1, 2, 3, 4])] == [2, 2, 0, 3]
