"""Exports that several tests look at; none of them changes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest
import torch
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from export.small_run import small_run
from solon.config.run import RunConfig
from solon.export.folder import export
from solon.export.sets import Form
from solon.export.trl import TRL
from tiny_models import tiny_model_folder


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run of a handful of rows."""
    return small_run(tmp_path_factory.mktemp("small") / "run")


@pytest.fixture(params=["conversational", "standard"])
def form(request: pytest.FixtureRequest) -> Form:
    return request.param


@pytest.fixture
def exported(run: Path, form: Form, tmp_path: Path) -> Path:
    """The run in one of the forms, as JSONL."""
    export(TRL, run, tmp_path / "out", form=form)
    return tmp_path / "out"


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`datasets` keeps what it has read beside the test, not in the home folder."""
    monkeypatch.setattr(datasets.config, "HF_DATASETS_CACHE", tmp_path / "cache")


@pytest.fixture
def load() -> Callable[[Path], datasets.Dataset]:
    """A file as `datasets` loads it."""

    def loaded(path: Path) -> Any:
        builder = {".jsonl": "json", ".parquet": "parquet"}[path.suffix]
        return datasets.load_dataset(builder, data_files=str(path), split="train")

    return loaded


@pytest.fixture(scope="session", params=[True, False], ids=["chat template", "human-assistant"])
def chats(request: pytest.FixtureRequest) -> bool:
    """Whether the models of a run have a chat template."""
    return bool(request.param)


@pytest.fixture(scope="session")
def whole_run(tmp_path_factory: pytest.TempPathFactory, chats: bool) -> Path:
    """The run of a handful of rows with tiny random models: SL-CAI, and a preference model as the run saves it."""
    folder = tmp_path_factory.mktemp("whole")
    policy = tiny_model_folder(folder, chat_template=chats, max_position_embeddings=256)
    return small_run(
        folder / "run",
        models={"models/sl": policy, "models/pm": tiny_classifier(policy, folder / "classifier")},
        config=RunConfig.model_validate({"models": {"assistant": {"path": str(policy)}}, "seed": 3}),
    )


def tiny_classifier(policy: Path, into: Path) -> Path:
    """The same model under a random head with one output, and its tokenizer."""
    body = AutoModelForSequenceClassification.from_pretrained(policy, num_labels=1, dtype=torch.float32)
    torch.nn.init.normal_(body.score.weight, generator=torch.Generator().manual_seed(1))
    body.save_pretrained(into)
    AutoTokenizer.from_pretrained(policy).save_pretrained(into)
    return into
