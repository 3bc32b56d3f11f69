"""What a model folder must look like, told without torch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from solon.errors import ModelError
from solon.models.folder import weight_files


@pytest.mark.parametrize("name", ["../a.safetensors", "/a.safetensors", "b/a.safetensors", ".a.safetensors", "a.bin"])
def test_an_index_names_only_weights_beside_it(tmp_path: Path, name: str) -> None:
    """Others would be written to, run as pickles, or be in no fingerprint."""
    index = tmp_path / "model.safetensors.index.json"
    index.write_text(json.dumps({"metadata": {}, "weight_map": {"w": name}}))
    with pytest.raises(ModelError) as raised:
        weight_files(tmp_path)
    assert str(raised.value) == (
        f"{index}: names weights that are no *.safetensors beside it, e.g. {name!r} "
        "(do not trust this model: files elsewhere are not its own)"
    )
