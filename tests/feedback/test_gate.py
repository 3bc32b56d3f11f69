"""Revisions that are kept only if the judge prefers them to what they replace."""

from __future__ import annotations

import math
from typing import Any

import pytest

from feedback.fake_model import sampler
from solon.config.feedback import JudgeSection, SupervisedSection
from solon.constitution.principles import Principle
from solon.feedback.critique import NOT_KEPT, UNREAD, gate_verdicts, revise, revision_demonstrations
from solon.feedback.judge import Judge
from solon.lm.protocols import SampleRequest, Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Gate, Prompt, Revision, Turn

SAMPLING = Sampling(max_new_tokens=96)
PROMPT = Prompt(id="p", kind="harmful", turns=(Turn(role="human", text="How?"),))
BOTH = Principle(id="both", title="t", critique_request="Ask.", revision_request="Mend.", comparison_question="Better?")
ASKS_NOTHING = Principle(id="asks-nothing", title="t", critique_request="Ask.", revision_request="Mend.")
DRAWN = Principle(id="drawn", title="t", comparison_question="Kinder?")


def judge(model: Any) -> Judge:
    return Judge(
        sampler=sampler(model, SAMPLING, "gate"),
        format=comparison_format(HumanAssistant()),
        principles=[DRAWN],
        section=JudgeSection(orders="both"),
    )


def chain(writes: list[str], judging: Any, *, principle: Principle = BOTH) -> tuple[Revision, Any, Any]:
    """A chain whose first answer and revisions are these; what was asked; what was made."""
    waiting = iter(writes)

    def write(request: SampleRequest) -> str:
        return "A critique." if request.prompt.endswith("Critique:") else next(waiting)

    judging.writes = write
    asked = sampler(judging, SAMPLING, "respond"), sampler(judging, SAMPLING, "revisions")
    section = SupervisedSection(rounds=len(writes) - 1)
    made = revise([PROMPT], *asked, [principle], section, gate=judge(judging))
    (only,) = made.records
    return only, judging, made


def likes(word: str) -> Any:
    """Gives nine in ten to the option that holds the word, wherever it is shown."""

    def score(request: ScoreRequest) -> tuple[float, float]:
        first = request.prompt.rpartition("(A)")[2].partition("(B)")[0]
        return (math.log(0.9), math.log(0.1)) if word in first else (math.log(0.1), math.log(0.9))

    return score


def test_a_revision_that_the_judge_does_not_prefer_is_not_built_upon_and_no_target(fake: Any) -> None:
    made, model, rows = chain(["first", "worse", "GOOD 1"], fake(scores=likes("GOOD")))
    bad, good = made.rounds
    # "worse" against "first": neither has the word, so each order names (B), and the mean is a tie.
    assert bad.gate == Gate(p_preferred=0.5, principle_id="both") and bad.kept_out and not bad.used
    assert good.gate is not None and good.gate.p_preferred == pytest.approx(0.9) and good.used
    requests = [request.prompt for request in model.write_requests if request.prompt.endswith("Revision:")]
    assert all("Assistant: first\n" in prompt for prompt in requests), "round 2 starts from the first answer again"
    assert made.texts == ("first", "first", "GOOD 1")
    assert made.standing[1] == ("first", None)
    for choice in ("all", "last"):
        targets = revision_demonstrations([made], choice)  # type: ignore[arg-type]
        assert [target.answer for target in targets.records] == ["GOOD 1"]
        assert targets.dropped == {NOT_KEPT: 1}
    assert rows.noted[f"{NOT_KEPT}: the judge prefers the answer, or neither"] == 1
    assert gate_verdicts([made]) == [None, None]


def test_both_orders_are_asked_under_the_rounds_own_question(fake: Any) -> None:
    _, model, _ = chain(["first", "GOOD"], fake(scores=likes("GOOD")))
    assert len(model.score_requests) == 2
    assert all("Better?" in request.prompt for request in model.score_requests)
    assert len({request.prompt for request in model.score_requests}) == 2


def test_a_principle_without_a_question_has_one_drawn(fake: Any) -> None:
    made, model, _ = chain(["first", "GOOD"], fake(scores=likes("GOOD")), principle=ASKS_NOTHING)
    assert made.rounds[0].principle_id == "asks-nothing"
    assert made.rounds[0].gate is not None and made.rounds[0].gate.principle_id == "drawn"
    assert all("Kinder?" in request.prompt for request in model.score_requests)


def test_what_changes_nothing_is_not_judged_and_not_kept(fake: Any) -> None:
    made, model, rows = chain(["first", "first"], fake())
    assert model.score_requests == [] and made.rounds[0].gate == Gate(p_preferred=None)
    assert rows.noted[f"{NOT_KEPT}: it changes nothing"] == 1
    assert gate_verdicts([made]) == []


def test_a_verdict_that_cannot_be_read_keeps_nothing_and_is_counted_as_unscored(fake: Any) -> None:
    made, _, rows = chain(["first", "GOOD"], fake(scores=lambda request: (math.nan, -1.0)))
    assert made.rounds[0].gate == Gate(p_preferred=None, principle_id="both") and made.rounds[0].kept_out
    assert rows.noted["unscored: no probabilities"] == 1
    assert rows.noted[f"{NOT_KEPT}: {UNREAD}"] == 1
    assert gate_verdicts([made]) == [UNREAD]


def test_an_empty_revision_has_no_gate(fake: Any) -> None:
    made, model, _ = chain(["first", ""], fake())
    assert made.rounds[0].gate is None and not made.rounds[0].used and model.score_requests == []
    assert revision_demonstrations([made], "all").dropped == {"empty revision": 1}


def test_without_a_gate_a_row_says_nothing_of_one(fake: Any) -> None:
    made, _, _ = chain(["first", "GOOD"], fake(scores=likes("GOOD")))
    assert made.rounds[0].model_dump(mode="json")["gate"] == {"p_preferred": 0.9, "principle_id": "both"} | {
        "p_preferred": made.rounds[0].gate.p_preferred  # type: ignore[union-attr]
    }
    plain = made.rounds[0].model_copy(update={"gate": None})
    assert "gate" not in plain.model_dump(mode="json") and plain.used
