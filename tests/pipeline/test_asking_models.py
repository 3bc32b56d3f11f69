"""What a result about a model of a run is of."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from solon.artifacts.run_folder import run_config
from solon.errors import RunError
from solon.evals.kept import fingerprints
from solon.pipeline.actors import Actors
from solon.pipeline.asking_models import made_from


def test_base_is_known_by_its_files_and_another_one_is_refused(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "run", symlinks=True)
    actors = Actors(config=run_config(run), run=run)
    found = made_from(run, ["base", "rl"], actors)
    assert found["base"] == fingerprints(run, "base") and found["base"].keys() == {"base"}
    assert found["rl"] == fingerprints(run, "models/rl") != {}
    manifest = run / "models/sl/manifest.json"
    told = json.loads(manifest.read_bytes())
    told["inputs"]["base/model.safetensors"] = "0" * 64
    manifest.write_text(json.dumps(told))
    with pytest.raises(RunError, match="base is not what the run was made from"):
        made_from(run, ["base"], actors)
    assert made_from(run, ["rl"], actors) == {"rl": found["rl"]}
