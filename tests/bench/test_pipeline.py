"""The pipeline put together from transformers and TRL does what a run does."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForSequenceClassification

from peers.pipeline import Choices, Pipeline
from peers.trl_settings import Settings
from peers.trl_side import ranked
from peers.writers import Writer
from pipeline.tiny_run import world_config
from solon.feedback.rows import run_rows
from solon.lm.protocols import Completion, Sampling
from solon.models.load import load_model
from solon.prompting.chat_template import dialogue_format
from solon.prompting.context import Context, Message
from solon.train.preference import PreferenceExample
from tiny_models import END, tiny_model_folder, tiny_tokenizer

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning")  # TRL's own use of transformers


def said(tmp_path: Path, texts: Sequence[str], limit: int) -> tuple[Completion, ...]:
    """Completions by a `generate` that writes these."""
    writer = Writer(
        load_model(tiny_model_folder(tmp_path), dtype=torch.float32, device=torch.device("cpu")),
        dialogue_format(tiny_tokenizer()),
        2,
    )
    waiting = iter([writer.tokenizer.encode(text) for text in texts])

    def generate(ids: torch.Tensor, **_: Any) -> torch.Tensor:
        rows = [next(waiting) for _ in ids]
        longest = max(map(len, rows))
        behind = torch.tensor([row + [0] * (longest - len(row)) for row in rows])
        return torch.cat([ids, behind], dim=1)

    writer.model = SimpleNamespace(generate=generate)
    asked = [Context(messages=(Message("human", "Which?"),)) for _ in texts]
    rows = run_rows(writer.complete(one, Sampling(max_new_tokens=limit), seed=0) for one in asked)
    return rows.records


def test_a_text_ends_where_the_model_the_format_or_the_limit_ends_it(tmp_path: Path) -> None:
    limit = len(tiny_tokenizer().encode(" Throw it over the fence"))
    texts = [f" Ring.{END}", " Ask.\n\nHuman: And", " Throw it over the fence"]
    found = said(tmp_path, texts, limit)
    assert [(one.text, one.ended) for one in found] == [
        ("Ring.", "eos"),
        ("Ask.", "stop"),
        ("Throw it over the fence", "length"),
    ]


def test_a_hard_label_is_the_one_that_was_drawn() -> None:
    pair = PreferenceExample(id="", prompt_id="", a_ids=(1,), b_ids=(2,), p_a_preferred=0.7)
    assert ranked(pair, 0.69) == {"chosen_ids": [1], "rejected_ids": [2]}
    assert ranked(pair, 0.71) == {"chosen_ids": [2], "rejected_ids": [1]}


def test_it_goes_from_a_base_model_to_three_that_are_graded(tmp_path: Path) -> None:
    config = world_config(tiny_model_folder(tmp_path, max_position_embeddings=2048))
    slow = Settings(rows=2, bf16=False)
    choices = Choices(trl={"sft": slow, "preference": slow, "rl": slow}, rows=8, dtype="float32")
    pipeline = Pipeline(config=config, choices=choices, folder=tmp_path / "trained")
    found = pipeline.run()
    assert {one.model for one in found} == {"base", "sl", "rl"}
    assert {one.n for one in found if one.kind == "harmful"} == {config.prompts.evaluation}
    assert len(pipeline.seconds) == 6
    score = AutoModelForSequenceClassification.from_pretrained(tmp_path / "trained/pm").score
    assert score.weight.shape[0] == 1
