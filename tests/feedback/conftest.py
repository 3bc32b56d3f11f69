"""A model made of two functions, which remembers what it was asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import pytest

from solon.lm.protocols import OptionRequest, OptionScores, Progress, WriteRequest, Written


@dataclass(kw_only=True)
class Fake:
    writes: Callable[[WriteRequest], str | Written] = lambda request: f"text {request.seed % 1000}"
    scores: Callable[[OptionRequest], tuple[float, ...]] = lambda request: (-1.0, -1.0)
    context: int = 1_000_000
    """Characters."""
    write_requests: list[WriteRequest] = field(default_factory=list)
    score_requests: list[OptionRequest] = field(default_factory=list)
    batches: list[int] = field(default_factory=list)

    @property
    def max_context(self) -> int:
        return self.context

    def count_tokens(self, text: str, *, after: str = "") -> int:
        return len(text)

    def write(self, requests: Sequence[WriteRequest], *, progress: Progress | None = None) -> list[Written]:
        assert all(len(request.prompt) + request.max_new_tokens <= self.context for request in requests)
        self.write_requests += requests
        self.batches.append(len(requests))
        texts = [self.writes(request) for request in requests]
        return [Written(text=t, tokens=1, ended="stop") if isinstance(t, str) else t for t in texts]

    def score(self, requests: Sequence[OptionRequest], *, progress: Progress | None = None) -> list[OptionScores]:
        assert all(len(request.prompt) + 4 <= self.context for request in requests)
        self.score_requests += requests
        return [OptionScores(logprobs=self.scores(request)) for request in requests]


@pytest.fixture
def fake() -> type[Fake]:
    return Fake
