"""The shared options mean keys that a run file really has."""

from __future__ import annotations

from pathlib import Path

from solon.cli.run_options import RunOptions
from solon.config_load import load_run_config


def test_options_reach_the_run_file() -> None:
    keys = RunOptions(
        model=Path("embedded"),
        constitution="charter",
        prompts=Path("p.jsonl"),
        helpful=Path("h.jsonl"),
        columns=["prompt=goal", " prompt = question", "system=sys=tem"],
        seed=7,
    ).run_file_keys()
    config = load_run_config(flags=keys)
    assert (config.models.assistant.path, config.constitution.path, config.seed) == ("embedded", "charter", 7)
    assert config.prompts.source.endswith("p.jsonl")
    assert config.prompts.helpful is not None and config.prompts.helpful.endswith("h.jsonl")
    assert config.prompts.columns == {"prompt": ("goal", "question"), "system": ("sys=tem",)}


def test_options_not_given_leave_the_run_file_alone() -> None:
    assert load_run_config(flags=RunOptions().run_file_keys()) == load_run_config()
