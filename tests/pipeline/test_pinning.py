"""A run keeps the commit that a model on the Hub had when it began, in its run file and its manifests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command import done, solon, tiny_settings
from hub_server import Hub, folder_files, hub_server
from solon.config.load import load_run_config
from solon.errors import ModelError
from solon.pipeline.pinning import pin_models
from tiny_models import tiny_model_folder


@pytest.fixture(scope="session")
def tiny_files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    return folder_files(tiny_model_folder(tmp_path_factory.mktemp("tiny"), max_position_embeddings=2048))


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    monkeypatch.chdir(tmp_path)
    with hub_server(tmp_path / "cache") as server:
        yield server


def newer(hub: Hub, files: dict[str, bytes]) -> str:
    return hub.push("org/tiny", files | {"config.json": files["config.json"] + b"\n"})


def paths(folder: str) -> dict[str, str]:
    models = json.loads(Path(folder, "run.json").read_text())["config"]["models"]
    return {role: models[role]["path"] for role in ("assistant", "base", "judge")}


def test_a_run_goes_on_with_the_commit_that_it_began_with(hub: Hub, tiny_files: dict[str, bytes]) -> None:
    old = hub.push("org/tiny", tiny_files)
    command = ("stage", "revisions", "world", "--model", "org/tiny", *tiny_settings())
    begun = solon(*command, "-o", "a")
    assert begun.exit_code == 0, begun.output
    assert f"org/tiny is commit {old} on the Hugging Face Hub\n" in begun.stderr
    new = newer(hub, tiny_files)
    hub.asked.clear()
    assert "nothing to do" in solon(*command, "-o", "a").output
    assert solon("stage", "helpful", "a").exit_code == 0
    assert hub.asked == []
    assert paths("a")["assistant"] == f"hf:org/tiny#{old}"
    assert f'path = "hf:org/tiny#{old}"' in Path("a/run.toml").read_text()
    for stage in ("revisions", "helpful"):
        manifest = json.loads(Path("a", stage, "manifest.json").read_text())
        assert manifest["inputs"]["assistant/commit"] == old
        assert "assistant/model.safetensors" in manifest["inputs"]
        assert manifest["facts"]["models"] == {"assistant": f"hf:org/tiny#{old}"}
    done(*command, "-o", "b")  # another run begins with what is newest
    assert paths("b")["assistant"] == f"hf:org/tiny#{new}"


def test_a_resumed_run_fetches_its_own_commit_again(hub: Hub, tiny_files: dict[str, bytes], tmp_path: Path) -> None:
    old = hub.push("org/tiny", tiny_files)
    done("stage", "prompts", "world", "--model", "org/tiny@main", "-o", "a", *tiny_settings())
    newer(hub, tiny_files)
    (tmp_path / "cache").rename(tmp_path / "gone")
    assert solon("stage", "revisions", "a").exit_code == 0
    assert [path.name for path in (tmp_path / "cache/models--org--tiny/snapshots").iterdir()] == [old]
    assert paths("a")["assistant"] == f"hf:org/tiny@main#{old}"


def test_every_role_may_come_from_the_hub(hub: Hub, tiny_files: dict[str, bytes], tmp_path: Path) -> None:
    commit = hub.push("org/tiny", tiny_files, "main", "v2")
    keys = {"models.assistant": "org/tiny", "models.base": "hf:org/tiny@v2", "models.judge": "embedded"}
    pinned = pin_models(load_run_config(None, (), keys), tmp_path / "new")
    assert [pinned.models.role(role).path for role in ("assistant", "base", "judge")] == [
        *(f"hf:org/tiny#{commit}", f"hf:org/tiny@v2#{commit}", "embedded")
    ]
    assert pin_models(pinned, tmp_path / "new") == pinned


def test_every_model_that_cannot_be_had_is_told(hub: Hub, tmp_path: Path) -> None:
    keys = {"models.assistant": "models/x", "models.base": "models/y", "models.judge": "models/x"}
    with pytest.raises(ModelError) as raised:
        pin_models(load_run_config(None, (), keys), tmp_path / "new")
    assert [str(fault).split(" (")[0] for fault in raised.value.faults] == [
        f"models/{name}: no such model on the Hugging Face Hub, and no such folder here" for name in "xy"
    ]


def test_a_model_of_a_server_is_not_looked_for_on_the_hub(hub: Hub, tmp_path: Path) -> None:
    keys = {"models.assistant": "embedded", "models.judge.path": "org/tiny", "models.judge.engine": "scripted"}
    config = load_run_config(None, (), keys)
    assert pin_models(config, tmp_path / "new") == config
    assert hub.asked == []


def test_nothing_is_written_and_nothing_large_is_fetched_for_a_run_with_faults(
    hub: Hub, tiny_files: dict[str, bytes], tmp_path: Path
) -> None:
    hub.push("org/tiny", tiny_files)
    result = solon("run", "--model", "org/tiny", "--prompts", "nowhere.jsonl", "--helpful", "nowhere.jsonl", "-o", "a")
    assert (result.exit_code, Path("a").exists()) == (2, False)
    assert "model.safetensors" not in hub.fetched()
    gone = solon("run", "--model", "org/none", "-o", "a")
    assert (gone.exit_code, gone.stdout, Path("a").exists()) == (2, "", False)
    assert gone.stderr == (
        "error: org/none: no such model on the Hugging Face Hub, and no such folder here (check the name; a private "
        "model needs `hf auth login`)\n"
    )


def test_a_folder_of_that_name_is_said_to_come_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("org/tiny").mkdir(parents=True)
    notes: list[str] = []
    keys = {"models.assistant": "org/tiny", "models.judge": "./org/tiny", "models.base": "hf:org/tiny"}
    config = load_run_config("world", (), keys, tell=notes.append)
    assert notes == [
        f"models.assistant.path is the folder {tmp_path}/org/tiny; for the model of that name on the Hub, write "
        "hf:org/tiny"
    ]
    assert re.sub(str(tmp_path), "", config.models.assistant.path) == "/org/tiny"
    assert config.models.base.path == "hf:org/tiny"
