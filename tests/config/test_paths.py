from __future__ import annotations

from pathlib import Path

import pytest

from config.run_files import LONG, told, written
from solon.config.load import load_run_config

HALF = "r\udcff.jsonl"
"""A file name that is not UTF-8, as Python hands it on."""


def test_paths_are_those_of_the_run_files_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home / "model", home / "world", elsewhere / "flag"):
        folder.mkdir(parents=True)
    for name in ("mine.md", "red.jsonl", "plain"):
        (home / name).write_text("")
    monkeypatch.chdir(elsewhere)
    path = written(
        home,
        '[models]\nassistant = "model"\nbase = "absent/model"\n'
        '[constitution]\npath = "mine.md"\n[prompts]\nsource = "red.jsonl"\nhelpful = "./none.jsonl"\n',
    )
    config = load_run_config(path, ["models.judge=flag"])
    assert (config.models.assistant.path, config.models.base.path) == (str(home / "model"), "absent/model")
    assert config.models.judge.path == str(elsewhere / "flag")
    assert (config.constitution.path, config.prompts.source) == (str(home / "mine.md"), str(home / "red.jsonl"))
    hub = load_run_config(path, ["prompts.source=hf:flag#test", "prompts.helpful=hf:some/set@main"]).prompts
    assert (hub.source, hub.helpful) == ("hf:flag#test", "hf:some/set@main")
    assert load_run_config(path, ["prompts.source=hf:./flag#test"]).prompts.source == f"hf:{elsewhere}/flag#test"
    assert config.prompts.helpful == str(home / "none.jsonl")  # only a path begins like this, so it is named in full


def test_nothing_a_run_file_names_is_taken_from_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home, elsewhere = tmp_path / "home", tmp_path / "elsewhere"
    for folder in (home, elsewhere / "model"):
        folder.mkdir(parents=True)
    (elsewhere / "red.jsonl").touch()
    (elsewhere / "common.toml").write_text('extends = "world"\nseed = 77\n')
    monkeypatch.chdir(elsewhere)
    text = '[models]\nassistant = "model"\n[prompts]\nsource = "red.jsonl"\nbenign = 0\n'
    config = load_run_config(written(home, text))
    assert (config.models.assistant.path, config.prompts.source) == (str(home / "model"), str(home / "red.jsonl"))
    assert "No such file" in told(written(home, 'extends = "common.toml"\n'))[0]


def test_names_are_no_paths_even_where_a_file_has_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("world", "embedded", "embedded-small", "harmlessness"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    flags = {"models.assistant": "embedded", "models.judge": "embedded-small", "prompts.source": "world"}
    config = load_run_config(None, ["constitution.path=harmlessness"], flags)
    assert (config.models.assistant.path, config.prompts.source) == ("embedded", "world")
    assert config.models.judge.path == "embedded-small"
    assert config.constitution.path == "harmlessness"


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("prompts.source", HALF, '"r\\udcff.jsonl", which cannot be used: it is not UTF-8 text'),
        ("models.assistant", "~nobodyx/y", '"~nobodyx/y", which cannot be used: Could not determine home directory.'),
        ("models.assistant", LONG, f'"{LONG[:99]}..., which cannot be used: File name too long'),
        ("constitution.path", "./a\0b", '"./a\\u0000b", which cannot be used: no path holds a zero character'),
    ],
)
def test_values_that_can_be_no_path(key: str, value: str, said: str) -> None:
    for lines in (told("world", [f"{key}={value}"]), told("world", flags={key: Path(value)})):
        (line,) = lines
        assert f": {key} is {said}".replace("./", "") in line.replace("./", "")
        line.encode()
