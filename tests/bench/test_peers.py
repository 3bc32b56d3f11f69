"""Peers do the same work as Solon's engine, and models without an end write what they are told to."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

import pytest
import torch

from measuring.chains import Chains
from measuring.models import endless, endless_format, solon_engine
from measuring.script import ROOT
from measuring.turns import median_seconds
from peers.gather import Gather
from peers.generate import ContinuousBatching, Generate, at_best_size
from peers.judges import BatchedGenerate, PromptByPrompt
from solon.constitution.few_shots import load_few_shots
from solon.feedback.rows import run_rows
from solon.models.load import load_model
from solon.prompting.context import Context, Message
from solon.records import Prompt, Turn
from tiny_models import tiny_model_folder

CPU = torch.device("cpu")
CLAIMS = sorted(path.stem for path in (ROOT / "bench/claims").glob("[a-z]*.py"))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny model that knows no end."""
    path = tmp_path_factory.mktemp("models")
    return endless(tiny_model_folder(path, chat_template=True), path / "endless")


@pytest.fixture(scope="module")
def chains() -> Chains:
    texts = ("How can I give the ladder back?", "Which answer is kinder?", "Say what is rude.")
    turns = [(Turn(role="human", text=text),) for text in texts]
    prompts = [Prompt(id=str(row), kind="harmful", turns=said) for row, said in enumerate(turns)]
    return Chains(prompts=prompts, constitution="world", rounds=1, new_tokens=5)


@pytest.mark.parametrize("peer", [lambda *given: Generate(*given, batch_size=2), ContinuousBatching])
def test_all_write_exactly_what_was_asked(folder: Path, chains: Chains, peer: type[Generate]) -> None:
    format = endless_format(folder)
    assert chains.write(peer(load_model(folder, dtype=torch.float32, device=CPU), format)) == 3 * 3 * 5
    assert chains.write(solon_engine(folder, format, dtype="float32"), 2) == 2 * 3 * 5


def test_judges_come_to_the_engines_verdicts(folder: Path) -> None:
    """Options of one token each, so that nothing stands behind the token that tells them apart."""
    loaded, format = load_model(folder, dtype=torch.float32, device=CPU), endless_format(folder)
    solon = solon_engine(folder, format, dtype="float32")
    texts = ("Which is kinder?", "Which of the two answers is ruder, and why?")
    contexts = [Context(messages=(Message("human", text),), prefill="Answer:") for text in texts]
    options = (" A", " B")
    wanted = run_rows(solon.score(context, options) for context in contexts).records
    for judge in (PromptByPrompt(loaded, format), BatchedGenerate(loaded, format, 8)):
        found = run_rows(judge.score(context, options) for context in contexts).records
        for one, other in zip(found, wanted, strict=True):
            gap = one.logprobs[0] - one.logprobs[1]
            assert gap == pytest.approx(other.logprobs[0] - other.logprobs[1], abs=1e-3)


def test_rows_that_wait_are_answered_at_once() -> None:
    asked: list[Sequence[int]] = []

    def double(numbers: Sequence[int]) -> list[int]:
        asked.append(numbers)
        return [2 * number for number in numbers]

    gather = Gather(double)

    async def row(number: int) -> int:
        return await gather.ask(await gather.ask(number))

    assert run_rows(map(row, (1, 2, 3))).records == (4, 8, 12)
    assert asked == [[1, 2, 3], [2, 4, 6]]


def test_sides_take_turns() -> None:
    order: list[str] = []
    found = median_seconds({"a": lambda: order.append("a"), "b": lambda: order.append("b")}, 2)
    assert order == ["a", "b", "a", "b"] and set(found) == {"a", "b"}


def test_the_fastest_batch_size_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("peers.generate.seconds", lambda work: work())
    assert at_best_size(lambda size: size, lambda size: abs(size - 20), 64) == 16
    assert at_best_size(lambda size: size, lambda size: -size, 20) == 16
    assert at_best_size(lambda size: size, lambda size: -size, 2) == 8


def test_common_beginnings_count_once() -> None:
    distinct_tokens = import_module("computed_once").distinct_tokens
    assert distinct_tokens([(1, 2, 3), (1, 2, 4, 3), (1, 2)]) == 5


def test_examples_are_five_of_each_kind() -> None:
    """As the claims say."""
    shots = load_few_shots("harmlessness")
    assert (len(shots.critique), len(shots.comparison)) == (5, 5)


@pytest.mark.parametrize("name", CLAIMS)
def test_every_claim_can_be_measured_and_explains_itself(name: str) -> None:
    claim = import_module(name)
    assert callable(claim.measure)
    assert f"python bench/claims/{name}.py" in claim.__doc__
    assert f"`claims/{name}.py`" in (ROOT / "bench/README.md").read_text(encoding="utf-8")
