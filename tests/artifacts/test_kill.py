"""A run that is killed again and again ends with the same bytes as one that is not."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from solon.artifacts.run_folder import RunFolder
from solon.config.run import RunConfig

CHILD = Path(__file__).parent / "killed_run.py"


def finished(folder: Path) -> dict[str, object]:
    """Every file, hidden ones included, with its bytes; of manifests all but timing and versions."""
    found: dict[str, object] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.name == "manifest.json":
            manifest = json.loads(path.read_bytes())
            del manifest["timing"], manifest["versions"]
            found[name] = manifest
        elif path.is_file() and path.name != ".lock":
            found[name] = path.read_bytes()
    return found


def test_killed_runs_end_with_the_same_bytes(tmp_path: Path) -> None:
    def go(name: str, *options: str) -> int:
        command = [sys.executable, str(CHILD), str(tmp_path / name), *options]
        told = subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout
        return int(told)

    assert go("straight") == 0
    kills = go("killed", "--kill")
    assert kills >= 10
    straight = finished(tmp_path / "straight")
    assert straight == finished(tmp_path / "killed")
    names = [name for name in straight if not name.endswith(".json")]
    assert len([name for name in names if name.startswith("rows/rows-")]) == 20
    assert "models/sl/model/model.safetensors" in names
    with RunFolder.resume(tmp_path / "killed") as run:
        assert run.config == RunConfig()
