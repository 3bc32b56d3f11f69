"""What is to be known of people's votes beside the ratings that come of them, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from solon.evals.arena import Standing
from solon.evals.people import People


def sentence(one: Standing) -> str:
    """How votes fell, and how far people agree, on one objective."""
    said, found = one.said, one.agreement
    fell = (
        f"{said['a']} for the answer shown first, {said['b']} for the other, {said['tie']} alike, "
        f"{said['both bad']} both bad"
    )
    if found.value is None or found.low is None or found.high is None:
        return f"{fell}; how far people agree is not known: too few saw the same pair"
    agree = f"{found.value:.2f} ({found.low:.2f} to {found.high:.2f})"
    return f"{fell}; agreement (Krippendorff's alpha) {agree}, of {found.units} pairs that several saw"


def sentences(found: People) -> Iterator[str]:
    """Who voted, whether they read, and whether the answers are the run's."""
    who = _counted(found.people, "person", "people")
    yield f"{who}, who did not know whose answers they saw; a fair coin said which stood first"
    if found.attention is None:
        yield "checks of attention: none was shown"
    else:
        yield f"checks of attention: {found.passed} passed, {found.checks - found.passed} missed"
    if found.left_out:
        left = _counted(found.left_out, "vote", "votes")
        yield f"left out, of people who miss more than half of their checks: {left}"
    if found.same:
        yield f"answers that are word for word those of this run: {found.same}"
    if found.unknown:
        yield f"answers to prompts of which the run has stored none, known by the model's name alone: {found.unknown}"


def _counted(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"
