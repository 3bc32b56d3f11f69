"""Games between models: who met, who wins, and what is no verdict."""

from __future__ import annotations

import math

import pytest

from solon.config.feedback import JudgeSection
from solon.constitution.principles import Principle
from solon.errors import TooLongError
from solon.feedback.games import Match, matches, play, verdicts, winner_of
from solon.feedback.judge import Judge
from solon.feedback.rows import Sampler
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Pair, Prompt, Turn

PROMPT = Prompt(id="p", kind="harmful", turns=(Turn(role="human", text="How?"),))


def judge(score: object) -> Judge:
    model = ScriptedModel(score=score)  # type: ignore[arg-type]
    return Judge(
        sampler=Sampler(model=model, sampling=Sampling(), seed=0, stage="games"),
        format=comparison_format(HumanAssistant(), "solon"),
        principles=[Principle(id="kind", title="Kind", comparison_question="Which is kinder?")],
        section=JudgeSection(orders="both"),
    )


def by_words(request: ScoreRequest) -> tuple[float, float]:
    """The answer with `good` in it is better with 0.8, wherever it stands; of two alike neither."""
    first, second = request.prompt.split("(A)")[-1].split("(B)")[:2]
    p = 0.5 + 0.3 * (("good" in first) - ("good" in second))
    return math.log(p), math.log(1 - p)


def first_always(request: ScoreRequest) -> tuple[float, float]:
    return math.log(0.9), math.log(0.1)


def unread(request: ScoreRequest) -> tuple[float, float]:
    return math.nan, math.nan


def no_room(request: ScoreRequest) -> tuple[float, float]:
    raise TooLongError("no room")


def match(a: str, b: str) -> Match:
    return Match(a="x", b="y", pair=Pair(id="p.x-y", prompt_id="p", a=a, b=b, source="players"))


@pytest.mark.parametrize(("a", "b", "winner"), [("good", "no", "a"), ("no", "good", "b"), ("no", "so", "tie")])
def test_who_is_better_in_both_orders_wins(a: str, b: str, winner: str) -> None:
    (game,) = play([match(a, b)], {"p": PROMPT}, judge(by_words)).records
    assert (game.a, game.b, game.winner, game.principle_id) == ("x", "y", winner, "kind")
    p = {"a": 0.8, "b": 0.2, "tie": 0.5}[winner]
    assert game.p_a == {"a": pytest.approx(p), "b": pytest.approx(p)}


def test_who_is_better_where_shown_first_alone_ties() -> None:
    (game,) = play([match("good", "no")], {"p": PROMPT}, judge(first_always)).records
    assert game.winner == "tie" and game.p_a == {"a": pytest.approx(0.9), "b": pytest.approx(0.1)}


def test_what_cannot_be_read_is_no_verdict_and_counted() -> None:
    rows = play([match("good", "no")], {"p": PROMPT}, judge(unread))
    (game,) = rows.records
    assert game.winner is None and game.unscored and not game.p_a
    assert rows.noted[f"unscored: {game.unscored}"] == 1


def test_a_game_that_the_judge_has_no_room_for_is_unscored_and_no_fault_of_the_judge() -> None:
    (game,) = play([match("good", "no")], {"p": PROMPT}, judge(no_room)).records
    assert (game.winner, game.unscored, verdicts([game])) == (None, TooLongError.reason, [])


def test_equal_texts_tie_without_the_judge() -> None:
    asked = judge(unread)
    (game,) = play([match("same", "same")], {"p": PROMPT}, asked).records
    assert (game.winner, game.unscored, game.principle_id) == ("tie", None, None)
    assert asked.sampler.model.scored == []  # type: ignore[attr-defined]


def test_every_two_meet_on_what_both_have_answered() -> None:
    found = list(matches({"x": {"1": "a", "2": "b"}, "y": {"1": "c"}, "z": {"2": "d", "1": "e"}}))
    assert [(one.a, one.b, one.pair.prompt_id, one.pair.a, one.pair.b) for one in found] == [
        ("x", "y", "1", "a", "c"),
        ("x", "z", "1", "a", "e"),
        ("x", "z", "2", "b", "d"),
        ("y", "z", "1", "c", "e"),
    ]


def test_a_winner_needs_both_orders() -> None:
    assert winner_of({"a": 0.9, "b": 0.6}) == "a" and winner_of({"a": 0.4, "b": 0.1}) == "b"
    assert winner_of({"a": 0.9, "b": 0.4}) == "tie" == winner_of({"a": 0.5, "b": 0.9})
    assert winner_of({"a": 0.9}) is winner_of({}) is None
