"""A model that brings Python of its own, trusted, goes through every stage: so does what is trained from it."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from pipeline.tiny_run import run_in, world_config
from tiny_models import tiny_model_folder

CODE = """
from transformers import LlamaForCausalLM

class OwnModel(LlamaForCausalLM):
    pass
"""


def test_a_run_to_its_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.setattr("sys.path", [*sys.path])
    folder = tiny_model_folder(tmp_path, max_position_embeddings=2048)
    described = json.loads((folder / "config.json").read_text())
    asks = {"architectures": ["OwnModel"], "auto_map": {"AutoModelForCausalLM": "own.OwnModel"}}
    (folder / "config.json").write_text(json.dumps(described | asks))
    (folder / "own.py").write_text(CODE)
    run_in(tmp_path / "run", world_config(folder, "models.trust_remote_code=true"))
    assert (tmp_path / "run" / "summary.json").is_file()
    for stage in ("sl", "pm", "rl"):
        kept = json.loads((tmp_path / "run" / "models" / stage / "model/config.json").read_text())
        assert kept["auto_map"] == asks["auto_map"]
