"""The shared options mean keys that a run file really has."""

from __future__ import annotations

from pathlib import Path

from solon.cli.run_options import run_file_keys
from solon.config_load import load_run_config


def test_options_reach_the_run_file() -> None:
    keys = run_file_keys(
        model=Path("embedded"),
        constitution="charter",
        prompts=Path("p.jsonl"),
        helpful=Path("h.jsonl"),
        columns=["prompt=goal", " prompt = question", "system=sys=tem"],
        seed=7,
    )
    config = load_run_config(flags=keys)
    assert (config.models.assistant, config.constitution.path, config.seed) == ("embedded", "charter", 7)
    assert config.prompts.source.endswith("p.jsonl")
    assert config.prompts.helpful is not None and config.prompts.helpful.endswith("h.jsonl")
    assert config.prompts.columns == {"prompt": ("goal", "question"), "system": ("sys=tem",)}


def test_options_not_given_leave_the_run_file_alone() -> None:
    keys = run_file_keys(model=None, constitution=None, prompts=None, helpful=None, seed=None)
    assert load_run_config(flags=keys) == load_run_config()
