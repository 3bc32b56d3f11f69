from __future__ import annotations

from solon.config.load import load_run_config


def test_some_texts_are_sampled_in_ways_of_their_own() -> None:
    overrides = ["sampling.revisions.temperature=0", "sampling.reasoning.max_new_tokens=300", "pairs.max_new_tokens=80"]
    config = load_run_config(None, [*overrides, "evaluation.max_new_tokens=9000"])  # more than a batch in training
    assert config.token_limits() == {
        "sampling.max_new_tokens": 96,
        "sampling.reasoning.max_new_tokens": 300,
        "pairs.max_new_tokens": 80,
        "evaluation.max_new_tokens": 9000,
    }
