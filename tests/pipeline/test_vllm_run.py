"""A run whose assistant and judge are run by vLLM. `make test-vllm` runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from lm.has_vllm import HEADS, needs_vllm
from pipeline.tiny_run import manifest, rows, run_in, world_config
from tiny_models import tiny_model_folder


@needs_vllm
def test_data_stages_run_on_vllm_and_training_on_the_local_engine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VLLM_CPU_KVCACHE_SPACE", "1")  # GiB
    llama = tiny_model_folder(tmp_path, heads=HEADS)
    vllm = ("models.assistant.engine=vllm", "models.assistant.vllm.enforce_eager=true")
    run_in(tmp_path / "run", world_config(llama, *vllm), until="comparisons")
    engines = {stage: manifest(tmp_path / "run", stage).facts["engines"] for stage in ("revisions", "pairs")}
    assert engines["revisions"]["assistant"].startswith("vllm:")
    assert engines["pairs"]["sl"].startswith("local:")
    assert manifest(tmp_path / "run", "comparisons").facts["engines"]["judge"].startswith("vllm:")
    for stage in ("revisions", "helpful", "pairs", "comparisons"):
        counts = manifest(tmp_path / "run", stage).counts
        assert counts.rows_in == counts.rows_out + sum(counts.dropped.values()) > 0
    assert all(row["unscored"] is None for row in rows(tmp_path / "run", "comparisons"))
