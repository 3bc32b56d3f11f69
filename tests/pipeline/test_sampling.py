"""Critiques and revisions, the judge's reasoning and answers to held-out prompts are sampled in their own ways."""

from __future__ import annotations

import shutil
from pathlib import Path

from transformers import AutoTokenizer

from pipeline.tiny_run import manifest, rows, run_in, world_config


def test_each_kind_of_text_has_its_own_token_limit(llama: Path, tmp_path: Path) -> None:
    limits = ("sampling.revisions.max_new_tokens=1", "sampling.reasoning.max_new_tokens=1")
    config = world_config(llama, *limits, "evaluation.max_new_tokens=2", "judge.method=cot", "judge.max_unscored=1")
    run_in(tmp_path, config, until="answers-base")
    tokenizer = AutoTokenizer.from_pretrained(llama)

    def longest(*texts: str) -> int:
        """In tokens of the text; one token sampled may be half a character, whose mark has three."""
        return max(len(tokenizer.encode(text, add_special_tokens=False)) for text in texts)

    chains = rows(tmp_path, "revisions")
    assert longest(*(chain["initial"] for chain in chains)) > 3
    steps = [step for chain in chains for step in chain["rounds"]]
    assert 0 < longest(*(text for step in steps for text in (step["critique"], step["revision"]))) <= 3
    assert 0 < longest(*(row["rationale"] or row["raw"] or "" for row in rows(tmp_path, "comparisons"))) <= 3
    assert max(row["tokens"] for row in rows(tmp_path, "answers-base")) <= 2
    assert max(row["tokens"] for row in rows(tmp_path, "helpful")) > 2


def test_what_the_run_file_leaves_open_is_the_models_and_the_manifest_tells(llama: Path, tmp_path: Path) -> None:
    model = Path(shutil.copytree(llama, tmp_path / "model"))
    (model / "generation_config.json").write_text('{"do_sample": true, "temperature": 0.5, "top_k": 1, "top_h": 0.3}')
    config = world_config(model, "sampling.revisions.temperature=0.25", "sampling.answers.top_k=2")
    run_in(tmp_path / "run", config, until="revisions")
    told = manifest(tmp_path / "run", "revisions")
    everything = {"top_p": 1.0, "min_p": 0.0, "max_new_tokens": 10}
    assert told.config["sampling.answers"] == {"temperature": 0.5, "top_k": 2, **everything}
    assert told.config["sampling.revisions"] == {"temperature": 0.25, "top_k": 1, **everything}
    assert told.notes == (
        "where the run file says nothing, generation_config.json of the assistant decides: "
        "`temperature 0.5`, `top_k 1`",
    )
    greedy = world_config(model, "sampling.temperature=0", "pairs.temperature=1")
    alone = world_config(model)  # the likeliest token alone
    for name, other in (("greedy", greedy), ("alone", alone)):
        run_in(tmp_path / name, other, until="revisions")
    assert rows(tmp_path / "alone", "revisions") == rows(tmp_path / "greedy", "revisions")
    assert rows(tmp_path / "run", "revisions") != rows(tmp_path / "greedy", "revisions")
