"""Every engine keeps the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lm.contract import EngineContract
from solon.config.engines import ENGINES
from solon.errors import ConfigError
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.engines.faulty import FaultyModel
from solon.lm.engines.local import LocalModel
from solon.lm.engines.scripted import EVERYTHING, ScriptedModel, babble
from solon.lm.protocols import LanguageModel, SampleRequest, ScoreRequest
from solon.models.load import load_model
from solon.prompting.chat_template import dialogue_format
from solon.prompting.dialogue import HumanAssistant
from tiny_models import tiny_model_folder


class TestLocalModel(EngineContract):
    """A random Llama in plain text; and below, in a chat template."""

    chat_template = False

    @pytest.fixture(autouse=True)
    def _one_folder(self, tmp_path: Path) -> None:
        self.folder = tiny_model_folder(tmp_path, chat_template=self.chat_template, max_position_embeddings=256)

    def engine(self, context: int) -> LanguageModel:
        loaded = load_model(self.folder, dtype=torch.float32, device="cpu")
        assert loaded.model.config.max_position_embeddings == context
        return LocalModel(loaded, dialogue_format(loaded.tokenizer))


class TestLocalChatModel(TestLocalModel):
    chat_template = True


def reply(request: SampleRequest) -> str:
    return "Yes, of course." if request.temperature == 0 else f"{babble(request)}\n\nHuman: Why?"


def scores(request: ScoreRequest) -> tuple[float, ...]:
    return tuple({" (A)": -0.2, " (B)": -7.0}[option] for option in request.options)


class TestScriptedModel(EngineContract):
    def engine(self, context: int) -> LanguageModel:
        return ScriptedModel(reply, scores, can=replace(EVERYTHING, context=context))


class TestScriptedTopK(EngineContract):
    def engine(self, context: int) -> LanguageModel:
        return ScriptedModel(reply, scores, can=replace(EVERYTHING, context=context, logprobs="top-k"), lowest=-5.0)


class TestScriptedBareServer(EngineContract):
    """A server that takes messages and returns text, and nothing else."""

    def engine(self, context: int) -> LanguageModel:
        return ScriptedModel(reply, can=replace(EVERYTHING, logprobs="none", prefill=False, context=None))


class TestFaultyModel(EngineContract):
    """On a good day; and below, when replies come late."""

    def engine(self, context: int) -> LanguageModel:
        return FaultyModel(ScriptedModel(reply, scores, can=replace(EVERYTHING, context=context)))


class TestLateModel(EngineContract):
    def engine(self, context: int) -> LanguageModel:
        return FaultyModel(ScriptedModel(reply, scores, can=replace(EVERYTHING, context=context)), "late")


# Engines by name.


def spec(folder: Path | str = "") -> ModelSpec:
    return ModelSpec(model=str(folder), format=HumanAssistant(), dtype="float32", device="cpu")


def test_a_file_is_an_engine() -> None:
    assert {"faulty", "local", "scripted"} <= set(ENGINES)
    assert open_engine("scripted", spec()).identity == "scripted"


def test_an_engine_opens_a_model_folder(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path)
    local, faulty = open_engine("local", spec(folder)), open_engine("faulty", spec(folder))
    assert local.identity.startswith("local:") and faulty.identity == f"faulty:{local.identity}"


def test_an_unknown_engine_is_told_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as error:
        open_engine("lokal", spec())
    assert str(error.value) == "there is no engine `lokal` (did you mean `local`?)"
    with pytest.raises(ConfigError, match=r"there is no engine `x` \(there are .*`faulty`, `local`, `scripted`.*\)"):
        open_engine("x", spec())
