"""The vLLM engine. What needs vLLM itself is run by `make test-vllm` and skipped elsewhere."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import torch

from lm.contract import ASK, SAMPLING, EngineContract, ask
from lm.has_vllm import HEADS, needs_vllm
from solon.config.engines import VllmSection
from solon.errors import ConfigError, TooLongError
from solon.lm import engines
from solon.lm.batcher import run, together
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.engines.local import LocalModel
from solon.lm.engines.vllm import VllmModel, _Steps, next_tokens
from solon.lm.protocols import Completion, LanguageModel, OptionScores, SampleRequest
from solon.models.load import load_tokenizer
from solon.models.where import model_folder
from solon.prompting.chat_template import dialogue_format
from solon.prompting.context import Context
from tiny_models import tiny_model, tiny_model_folder

# Without vLLM.


def test_what_comes_next_in_options() -> None:
    assert next_tokens([(5, 7), (5, 8, 9)]) == {(): {5}, (5,): {7, 8}, (5, 8): {9}}
    assert next_tokens([(5,), (5, 8)]) == {(): {5}, (5,): {8}}


def test_without_its_library_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engines, "find_spec", lambda name: None)
    with pytest.raises(ConfigError) as error:
        open_engine("vllm", ModelSpec(model="", format=dialogue_format(None)))
    assert str(error.value) == "the engine vllm needs vllm, which is missing (pip install 'solon[vllm]')"


@dataclass(kw_only=True)
class Output:
    request_id: str
    outputs: list[Any]
    finished: bool = True


class Toy:
    """An engine like vLLM's whose replies are the lengths of the prompts, after so many steps."""

    def __init__(self) -> None:
        self.waiting: dict[str, int] = {}
        self.aborted: list[str] = []
        self.batches: list[int] = []
        self.broken = False

    def add_request(self, name: str, prompt: dict[str, list[int]], params: object) -> None:
        self.waiting[name] = len(prompt["prompt_token_ids"])

    def abort_request(self, names: list[str]) -> None:
        self.aborted += names
        for name in names:
            self.waiting.pop(name, None)

    def step(self) -> list[Output]:
        if self.broken:
            raise OSError("the card fell out")
        self.batches.append(len(self.waiting))
        done = [name for name, length in self.waiting.items() if length <= len(self.batches)]
        return [Output(request_id=name, outputs=[self.waiting.pop(name)]) for name in done]


def test_rows_are_computed_together_and_leave_one_by_one() -> None:
    toy = Toy()
    steps = _Steps(toy)
    assert run(together(steps.ask([0] * length, None) for length in (3, 1, 2))) == [3, 1, 2]
    assert toy.batches == [3, 2, 1]
    assert run(steps.ask([0] * 3, None)) == 3, "in a loop of its own"


def test_a_row_that_gives_up_is_taken_from_the_engine() -> None:
    toy = Toy()
    steps = _Steps(toy)

    async def rows() -> list[Any]:
        tasks = [asyncio.create_task(steps.ask([0] * 9, None)) for _ in range(2)]
        await asyncio.sleep(0)
        tasks[0].cancel()
        return await asyncio.gather(*tasks, return_exceptions=True)

    cancelled, found = asyncio.run(rows())
    assert isinstance(cancelled, asyncio.CancelledError) and found == 9
    assert toy.aborted == ["0"] and toy.batches[0] == 1


def test_what_the_engine_raises_is_told_to_all_who_wait_and_it_may_be_asked_again() -> None:
    toy = Toy()
    toy.broken, steps = True, _Steps(toy)

    async def rows() -> list[Any]:
        return await asyncio.gather(steps.ask([0], None), steps.ask([0], None), return_exceptions=True)

    assert [str(error) for error in asyncio.run(rows())] == ["the card fell out"] * 2
    assert toy.aborted == ["0", "1"]
    toy.broken = False
    assert run(steps.ask([0], None)) == 1


# With vLLM.


@cache  # and kept: in one process, the end of one engine of vLLM's is the end of all
def opened(folder: Path, engine: str = "vllm", dtype: str = "float32") -> LanguageModel:
    format, own = dialogue_format(load_tokenizer(folder)), VllmSection(enforce_eager=True)
    return open_engine(engine, ModelSpec(model=str(folder), format=format, dtype=dtype, vllm=own))


@pytest.fixture(scope="module", autouse=True)
def _little_memory() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
        yield
    opened.cache_clear()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, LanguageModel]:
    """A random Llama, in plain text and in a chat template. One start serves all tests: it takes seconds."""
    found = {}
    for name, chat_template in (("plain", False), ("chat", True)):
        parent = tmp_path_factory.mktemp(name)
        folder = tiny_model_folder(parent, "llama", chat_template, max_position_embeddings=256, heads=HEADS)
        found[name], found[f"{name} local"] = opened(folder), opened(folder, "local")
    return found


@needs_vllm
class TestVllmModel(EngineContract):
    name = "plain"

    @pytest.fixture(autouse=True)
    def _models(self, models: dict[str, LanguageModel]) -> None:
        self.models = models

    def engine(self, context: int) -> LanguageModel:
        return self.models[self.name]

    def test_it_does_what_the_local_engine_does(self) -> None:
        same_texts_and_scores(self.models[self.name], self.models[f"{self.name} local"], within=1e-3)

    def test_a_lower_limit_is_kept(self, model: LanguageModel) -> None:
        """The context that the run file sets counts, not the model's."""
        assert isinstance(model, VllmModel)
        model.max_context, before = 64, model.max_context
        try:
            with pytest.raises(TooLongError, match="more than the model's 64"):
                self.complete(model, ask("long " * 50))
        finally:
            model.max_context = before


@needs_vllm
class TestVllmChatModel(TestVllmModel):
    name = "chat"


QUESTIONS = [ask(), ask("Where is the bread knife?"), Context(messages=ASK.messages, prefill="The answer")]
OPTIONS = [(" (A)", " (B)"), (" The gardener", " The gardener left", " Ring the bell first."), ("x", "y", "z")]


def replies(model: LanguageModel) -> list[Completion]:
    sampling = replace(SAMPLING, max_new_tokens=24, temperature=0.0)
    return run(together(model.complete(asked, sampling, seed=0) for asked in QUESTIONS))


def scores(model: LanguageModel) -> list[OptionScores]:
    return run(together(model.score(asked, options) for asked in QUESTIONS for options in OPTIONS))


def same_texts_and_scores(model: LanguageModel, other: LanguageModel, *, within: float) -> None:
    for found, wanted in zip(replies(model), replies(other), strict=True):
        assert found == replace(wanted, logprobs=found.logprobs)  # text, ids, how it ended
        assert found.logprobs == pytest.approx(wanted.logprobs, abs=within)
    for scored, expected in zip(scores(model), scores(other), strict=True):
        assert scored.logprobs == pytest.approx(expected.logprobs, abs=within)


@needs_vllm
def test_the_embedded_model_is_the_same_one() -> None:
    folder = model_folder("embedded")
    same_texts_and_scores(opened(folder), opened(folder, "local"), within=1e-3)


@needs_vllm
def test_in_bfloat16_labels_agree() -> None:
    """Log-probabilities are of logits that have 8 bits there, so it is what the judge makes of them that agrees."""
    folder = model_folder("embedded")
    one, other = (
        torch.tensor([scored.logprobs for scored in scores(opened(folder, engine, "bfloat16"))[::3]])
        for engine in ("vllm", "local")
    )
    torch.testing.assert_close(one.softmax(dim=1), other.softmax(dim=1), atol=1e-2, rtol=0.0)


@needs_vllm
def test_log_probabilities_are_of_the_distribution_drawn_from(models: dict[str, LanguageModel]) -> None:
    """At a temperature of 0.5 that of a token is what the model gives it at 1, doubled, less what makes the sum 1; so
    for two tokens at the same place the difference doubles."""
    model = models["plain"]
    drawn: dict[float, dict[int, float]] = {1.0: {}, 0.5: {}}
    for temperature, found in drawn.items():
        sampling = replace(SAMPLING, max_new_tokens=1, temperature=temperature)
        for one in run(together(model.complete(ASK, sampling, seed=seed) for seed in range(40))):
            found[one.answer_ids[0]] = one.logprobs[0]
    first, second, *_ = sorted(drawn[1.0].keys() & drawn[0.5].keys())
    doubled = 2 * (drawn[1.0][first] - drawn[1.0][second])
    assert drawn[0.5][first] - drawn[0.5][second] == pytest.approx(doubled, abs=1e-4)


@needs_vllm
def test_prompts_that_do_not_fit_one_pass_are_answered(models: dict[str, LanguageModel]) -> None:
    """Each of a hundred tokens and more, so that vLLM reads them one after the other, and each with a seed."""
    model = models["plain"]
    assert isinstance(model, VllmModel)
    prompts = [f"{number}" + ", and the garden" * 25 for number in range(60)]
    requests = [
        SampleRequest(prompt=text, seed=seed, max_new_tokens=4, temperature=1.0) for seed, text in enumerate(prompts)
    ]
    assert [one.prompt for one in model.sample(requests)] == prompts


@needs_vllm
def test_a_policy_in_training_is_sampled_as_it_is_now(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path, heads=HEADS)
    model, policy = opened(folder), opened(folder, "local")
    assert isinstance(model, VllmModel) and isinstance(policy, LocalModel)
    requests = [SampleRequest(prompt=text, seed=0, max_new_tokens=16, temperature=0.0) for text in ("Human:", "Yes")]
    before = model.sample(requests)
    policy.loaded.model.load_state_dict(tiny_model(seed=1, heads=HEADS).state_dict())
    model.load_weights(policy.loaded.model.state_dict().items())
    after = model.sample(requests)
    assert [one.answer_ids for one in after] == [one.answer_ids for one in policy.sample(requests)]
    assert [one.answer_ids for one in after] != [one.answer_ids for one in before]


@needs_vllm
@pytest.mark.skipif(torch.cuda.is_available(), reason="heads of any width run on a GPU")
def test_what_vllm_says_against_it_is_one_line(tmp_path: Path) -> None:
    """Also where it finds out at the first token."""
    folder = tiny_model_folder(tmp_path, heads=4)
    with pytest.raises(ConfigError) as error:
        opened(folder)
    assert str(error.value).startswith(f"vLLM cannot run {folder}: Unsupported CPU attention configuration: head_dim=8")
    assert str(error.value).endswith("tensor_parallel_size)") and "\n" not in str(error.value)
