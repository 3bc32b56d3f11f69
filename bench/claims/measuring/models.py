"""Models for measurements, and how all sides write to them."""

from __future__ import annotations

import json
import os
from copy import copy
from dataclasses import replace
from pathlib import Path

from solon.config.sampling import SamplingSection
from solon.lm.engines import ModelSpec, open_engine
from solon.lm.protocols import LanguageModel
from solon.models.load import load_tokenizer
from solon.prompting.chat_template import ChatTemplate, DialogueFormat, dialogue_format

ROOM = 8192
"""Positions that a model without an end is given: few-shots may be longer than what it was trained on."""


def endless(folder: Path, into: Path) -> Path:
    """A copy of a model's folder that knows no end token, so that every text has the length that was asked for.

    The weights are a link. What is written past the end is noise, and costs what any text costs.
    """
    into.mkdir(parents=True)
    for path in folder.iterdir():
        if path.suffix == ".safetensors" or path.name in ("tokenizer.json", "chat_template.jinja"):
            (into / path.name).symlink_to(path.resolve())
    _rewritten(folder, into, "config.json", eos_token_id=None, max_position_embeddings=ROOM)
    _rewritten(folder, into, "generation_config.json", eos_token_id=None)
    _rewritten(folder, into, "tokenizer_config.json", eos_token=None)
    return into


def _rewritten(folder: Path, into: Path, name: str, **changes: object) -> None:
    if (folder / name).exists():
        (into / name).write_text(json.dumps(json.loads((folder / name).read_text()) | changes), encoding="utf-8")


def endless_format(folder: Path) -> DialogueFormat:
    """The dialogue format of the model in `folder`, without a string that ends a text."""
    format = dialogue_format(load_tokenizer(folder))
    if not isinstance(format, ChatTemplate):
        return replace(format, stop=())
    format = copy(format)
    format.stop = ()
    return format


def solon_engine(folder: Path, format: DialogueFormat, *, dtype: str = "auto") -> LanguageModel:
    """Solon's own engine, as a run opens it."""
    rows = SamplingSection().batch_size
    return open_engine("local", ModelSpec(model=str(folder), format=format, dtype=dtype, batch_size=rows))


def threads() -> int:
    """As many as this process may have cores; fewer where OMP_NUM_THREADS says so."""
    return int(os.environ.get("OMP_NUM_THREADS") or len(os.sched_getaffinity(0)))
