from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
import torch

from solon.errors import ModelError
from solon.models.load import LoadedModel, load_model, load_tokenizer, save_model
from tiny_models import FAMILIES, Family, tiny_model_folder, tiny_tokenizer


def load(folder: Path, **changes: bool) -> LoadedModel:
    return load_model(folder, dtype=torch.float32, device="cpu", **changes)


def hashes(folder: Path) -> dict[str, str]:
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in sorted(folder.iterdir())}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_model_folder(tmp_path)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_family_loads_and_is_ready_to_use(tmp_path: Path, family: Family) -> None:
    loaded = load(tiny_model_folder(tmp_path, family))
    assert not loaded.model.training
    assert loaded.model.dtype == torch.float32
    assert load_tokenizer(loaded.path).encode("hello") == loaded.tokenizer.encode("hello")


def test_saving_twice_gives_the_same_bytes_and_loads_the_same_weights(folder: Path, tmp_path: Path) -> None:
    loaded = load(folder)
    first = save_model(loaded.model, loaded.tokenizer, tmp_path / "a" / "model")
    again = load(first)
    second = save_model(again.model, again.tokenizer, tmp_path / "elsewhere")
    assert hashes(first) == hashes(second)
    assert not list(first.glob("*.bin"))
    for (name, old), (_, new) in zip(loaded.model.state_dict().items(), again.model.state_dict().items(), strict=True):
        assert torch.equal(old, new), name


def test_no_folder(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no such model folder \(give a folder"):
        load(tmp_path / "absent")
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="not a folder"):
        load(tmp_path / "file")


def test_no_weights(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    with pytest.raises(ModelError, match=r"no \*\.safetensors weights"):
        load(folder)


def test_pickles_are_refused_and_the_way_out_is_named(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match=r"only as pickles \(pytorch_model\.bin\).*convert"):
        load(folder)


def test_gguf_is_refused(folder: Path) -> None:
    gguf = (folder / "model.safetensors").rename(folder / "model.gguf")
    for path in (gguf, folder):
        with pytest.raises(ModelError, match="GGUF weights cannot be trained"):
            load(path)


def test_all_faults_of_a_folder_come_together(folder: Path) -> None:
    (folder / "model.safetensors").unlink()
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError) as raised:
        load(folder)
    assert [fault.what.split()[:2] for fault in raised.value.faults] == [["no", "*.safetensors"], ["no", "tokenizer"]]


def test_no_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    with pytest.raises(ModelError, match="no tokenizer in the model folder"):
        load(folder)
    with pytest.raises(ModelError, match="no tokenizer in the model folder"):
        load_tokenizer(folder)


def test_code_in_the_folder_needs_leave(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "auto_map": {"AutoModelForCausalLM": "own.Model"}}))
    with pytest.raises(ModelError, match=r"Python code of its own.*trust_remote_code"):
        load(folder)


@pytest.mark.parametrize("text", ["{broken", '{"model_type": "no_such_type"}'])
def test_a_broken_config_is_the_users_fault(folder: Path, text: str) -> None:
    (folder / "config.json").write_text(text)
    with pytest.raises(ModelError):
        load(folder)


def test_truncated_weights_are_the_users_fault(folder: Path) -> None:
    weights = folder / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match="cannot be loaded"):
        load(folder)


def test_weights_that_do_not_fit_the_config_are_the_users_fault(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "num_hidden_layers": 3}))
    with pytest.raises(ModelError, match="missing"):
        load(folder)


def test_the_tokenizer_round_trips_any_text() -> None:
    text = " Hé\n\n☃ <|end|>"
    assert tiny_tokenizer().decode(tiny_tokenizer().encode(text)) == text


def test_what_a_model_returns_has_names_whatever_its_config_says(tmp_path: Path) -> None:
    folder = tiny_model_folder(tmp_path)
    described = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**described, "return_dict": False}))
    loaded = load(folder)
    with torch.no_grad():
        assert loaded.model(torch.tensor([[2, 3]])).logits.shape[:2] == (1, 2)
