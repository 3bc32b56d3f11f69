"""Critiques and revisions, the judge's reasoning and answers to held-out prompts are sampled in their own ways."""

from __future__ import annotations

from pathlib import Path

from transformers import AutoTokenizer

from pipeline.tiny_run import rows, run_in, world_config


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
