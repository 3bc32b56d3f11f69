"""The sections on what is asked: prompts, helpfulness data, and how files of them are read."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from solon.config.paths import DataPath, PromptsPath
from solon.config.section import MECHANICAL, Section

COLUMNS = (
    *("prompt", "turns", "messages", "conversations", "transcript", "system", "kind", "label"),
    *("chosen", "rejected", "response", "completion", "a", "b", "better", "p_a_preferred", "p_chosen"),
    *("score_chosen", "score_rejected", "chosen_score", "rejected_score", "score_a", "score_b"),
    *("model", "model_chosen", "model_rejected", "model_a", "model_b", "rater_id", "session"),
)
"""Every key of a row that means something (docs/formats/prompts.md)."""


def _one_or_more(value: object) -> object:
    return (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list) else value


class ReadingSection(Section):
    """How files of prompts and helpfulness data are read."""

    columns: dict[str, Annotated[tuple[str, ...], BeforeValidator(_one_or_more)]] = Field(default_factory=dict)
    """What a column is called in the files, by its name here, e.g. `prompt = "question"`; of several names, the first
    that a row has."""
    scores: Literal["ignore", "label"] = "ignore"
    """`label`: the label of a comparison is the logistic function of (chosen - rejected) / `score_temperature`."""
    score_temperature: float = Field(1.0, gt=0.0)
    """In units of the scores. Assumption: 1."""
    on_fault: Literal["stop", "skip"] = "stop"
    """`skip`: rows that cannot be read are left out and counted."""
    max_faults: Annotated[float, MECHANICAL] = Field(0.01, ge=0.0, le=1.0)
    """With `skip`: a file is refused if a larger share of its rows cannot be read. Assumption."""


class PromptsSection(ReadingSection):
    """What is asked. Of the world the counts say how many prompts it makes; otherwise they cap the file."""

    source: PromptsPath = ""
    """Red-team prompts. Required."""
    helpful: DataPath | None = None
    """Helpfulness data of the same forms: comparisons and answers; their prompts also serve as helpful prompts. The
    world makes its own; other sources need it unless `benign` is 0."""
    harmful: int = Field(2000, ge=1)
    """CAI section 3.2 has 182,831. Assumption: what one device can do in a day, as all counts here."""
    mixed: int = Field(0, ge=0)
    """The world's alone; of a file, `harmful` and `mixed` count together."""
    benign: int = Field(2000, ge=0)
    evaluation: int = Field(200, ge=1)
    """Held-out prompts of each kind."""
