from __future__ import annotations

import re
from pathlib import Path

from solon.config.files import shipped_run_files
from solon.config.load import load_run_config
from solon.config.run import RunConfig


def test_some_texts_are_sampled_in_ways_of_their_own() -> None:
    overrides = ["sampling.revisions.temperature=0", "sampling.reasoning.max_new_tokens=300", "pairs.max_new_tokens=80"]
    longer = [f"{name}.max_new_tokens=9000" for name in ("evaluation", "evaluations.preachiness")]
    config = load_run_config(None, [*overrides, *longer])  # more than a batch in training
    assert config.token_limits() == {
        "sampling.max_new_tokens": 96,
        "sampling.reasoning.max_new_tokens": 300,
        "pairs.max_new_tokens": 80,
        "evaluation.max_new_tokens": 9000,
        "evaluations.preachiness.max_new_tokens": 9000,
    }


def test_the_docs_say_what_each_shipped_run_minimizes() -> None:
    text = (Path(__file__).parents[2] / "docs/method.md").read_text()
    rows = re.findall(r"^\| (`[^|]+) \| ([^|]+) \|$", text.partition("| shipped run |")[2].partition("\n\n")[0], re.M)
    told = {name: what for names, what in rows for name in re.findall(r"`([^`]+)`", names)}
    own = {"smollm2": ["models.assistant=embedded"]}
    assert told == {name: _minimized(load_run_config(name, own.get(name, []))) for name in shipped_run_files()}


def _minimized(config: RunConfig) -> str:
    if config.alignment == "dpo":
        return "DPO's loss, which holds the policy to SL-CAI by its own β"
    assert config.rl.kl_in == "loss"
    term = f", and {config.rl.kl_coefficient:g} times k3" if config.rl.kl_coefficient else ""
    return f"the clipped loss of rewards without KL{term}"
