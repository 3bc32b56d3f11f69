"""The sections on how texts are sampled."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from solon.config.section import MECHANICAL, Section


class SamplingOverrides(Section):
    """How some texts are sampled. What is left open (None) is as `sampling` says, else as the generation_config.json of
    the model that writes them asks, if it is to be sampled, else as in CAI section 3.2: at temperature 1 and whole."""

    temperature: float | None = Field(None, ge=0.0)
    """0: greedy."""
    top_p: float | None = Field(None, gt=0.0, le=1.0)
    """Only the likeliest tokens that have this much probability together. 1: off."""
    top_k: int | None = Field(None, ge=0)
    """Only the k likeliest tokens. 0: off."""
    min_p: float | None = Field(None, ge=0.0, le=1.0)
    """Only tokens that are at least this many times as likely as the likeliest. 0: off."""
    max_new_tokens: int | None = Field(None, ge=1)


class SamplingSection(SamplingOverrides):
    """How all texts are sampled whose own sections say nothing else."""

    max_new_tokens: int = Field(256, ge=1)
    """Assumption: a few paragraphs. RLHF-22 used 128."""
    answers: SamplingOverrides = SamplingOverrides()
    """Of the assistant's answers."""
    revisions: SamplingOverrides = SamplingOverrides()
    """Of critiques and revisions."""
    reasoning: SamplingOverrides = SamplingOverrides()
    """Of the judge's chain of thought."""
    batch_size: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Rows computed together, as far as their tokens fit in memory. Measured: with 64 a processor multiplies at its
    full rate."""
    shard_rows: Annotated[int, MECHANICAL] = Field(64, ge=1)
    """Rows committed together; a killed run repeats at most this many."""
