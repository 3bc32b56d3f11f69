"""Options scored after plain text, all in one batch."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from solon.lm.batcher import together
from solon.lm.protocols import LanguageModel, OptionScores, ScoreRequest
from solon.prompting.context import Context


def score(model: LanguageModel, requests: Sequence[ScoreRequest]) -> list[OptionScores]:
    """In the order of the requests."""
    asked = (model.score(Context(prefill=request.prompt), request.options) for request in requests)
    return asyncio.run(together(asked))
