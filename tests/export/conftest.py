"""Exports that several tests look at; none of them changes one."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import datasets
import pytest

from export.small_run import small_run
from solon.export.sets import Form
from solon.export.trl import export_trl


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
    export_trl(run, tmp_path / "out", form=form)
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
