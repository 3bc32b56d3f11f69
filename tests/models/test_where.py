"""From names of models to folders: those that ship with the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import solon.models.where
from solon.errors import ModelError
from solon.models.where import embedded_model, model_folder


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with the weights of one size alone."""
    folder = tmp_path / "embedded" / "model-small"
    folder.mkdir(parents=True)
    (folder / "model.safetensors").touch()
    monkeypatch.setattr(solon.models.where, "files", lambda _name: tmp_path)
    embedded_model.cache_clear()
    yield tmp_path
    embedded_model.cache_clear()


def test_a_shipped_model_has_a_name_for_each_size(package: Path) -> None:
    assert model_folder("embedded-small") == package / "embedded" / "model-small"
    assert model_folder("embedded-tiny") == Path("embedded-tiny")


def test_a_size_that_has_no_weights_says_where_they_go(package: Path) -> None:
    with pytest.raises(ModelError) as error:
        model_folder("embedded-medium")
    assert str(error.value) == (
        "the weights of the model embedded-medium are missing (`solon embedded pretrain` makes one; put it into "
        f"{package / 'embedded' / 'model-medium'})"
    )
