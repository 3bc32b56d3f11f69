"""Tiny finished runs that several tests look at; none of them changes one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.tiny_run import run_in, world_config
from tiny_models import tiny_model_folder


@pytest.fixture(scope="session")
def llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A random Llama."""
    return tiny_model_folder(tmp_path_factory.mktemp("model"), max_position_embeddings=2048)


@pytest.fixture(scope="session")
def finished(llama: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A whole run in the world, done in one go."""
    folder = tmp_path_factory.mktemp("finished") / "run"
    run_in(folder, world_config(llama))
    return folder
