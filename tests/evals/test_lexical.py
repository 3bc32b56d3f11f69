from __future__ import annotations

import pytest

from solon.evals.lexical import has_refusal_phrase


@pytest.mark.parametrize(
    "text", ["I'm sorry, no.", "I\u2019m sorry", "Sadly I cannot do that.", "As an AI I think", "I WON'T."]
)
def test_refusals(text: str) -> None:
    assert has_refusal_phrase(text)


@pytest.mark.parametrize("text", ["Sorry state of affairs", "Bake it for an hour.", "", "as an aid to memory"])
def test_no_refusals(text: str) -> None:
    assert not has_refusal_phrase(text)
