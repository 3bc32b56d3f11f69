"""Every engine keeps the contract."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from lm.contract import EngineContract
from solon.lm.engines.faulty import FaultyModel
from solon.lm.engines.local import LocalModel
from solon.lm.engines.scripted import EVERYTHING, ScriptedModel, babble
from solon.lm.protocols import LanguageModel, SampleRequest, ScoreRequest
from solon.models.load import load_model
from solon.prompting.chat_template import dialogue_format
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
