from __future__ import annotations

import hashlib
import math
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedback.fake_model import said, sampler
from solon.config.feedback import JudgeSection
from solon.constitution.few_shots import ComparisonShot, FewShots, ReasoningShot
from solon.constitution.principles import Principle
from solon.errors import EngineUnavailableError, UnscoredError
from solon.feedback.judge import DRAWINGS, Judge, check_unscored
from solon.feedback.verdicts import soft_label
from solon.lm.engines.scripted import EVERYTHING, ScriptedModel
from solon.lm.protocols import Completion, OptionScores, SampleRequest, Sampling, ScoreRequest
from solon.prompting.comparison import Task, comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Pair, Prompt, Turn

PRINCIPLES = [Principle(id=f"q{n}", title="t", comparison_question=f"Question {n}?") for n in range(4)]
SAMPLING = Sampling(max_new_tokens=33)


def rows(count: int) -> tuple[list[Pair], list[Prompt]]:
    prompts = [Prompt(id=f"p{n}", kind="harmful", turns=(Turn(role="human", text=f"ask {n}"),)) for n in range(count)]
    return [Pair(id=f"p{n}.pairs-0", prompt_id=f"p{n}", a="GOOD", b="BAD") for n in range(count)], prompts


def run(
    model: Any, count: int = 1, *, pairs: list[Pair] | None = None, seed: int = 0, few_shots: Any = None, **section: Any
) -> Any:
    made, prompts = rows(count)
    judge = Judge(
        sampler=sampler(model, SAMPLING, "comparisons", seed=seed),
        format=comparison_format(HumanAssistant()),
        principles=PRINCIPLES,
        section=JudgeSection(**{"orders": "random", **section}),
        shots=few_shots or FewShots(),
    )
    return judge.compare(pairs or made, {prompt.id: prompt for prompt in prompts})


def likes_good(request: ScoreRequest) -> tuple[float, float]:
    """A judge that reads: the option that says GOOD has three times the probability of the other."""
    good_first = request.prompt.rindex("(A) GOOD") > 0 if "(A) GOOD" in request.prompt else False
    return (math.log(0.3), math.log(0.1)) if good_first else (math.log(0.1), math.log(0.3))


def likes_first(request: ScoreRequest) -> tuple[float, float]:
    """A judge that does not read."""
    return math.log(0.8), math.log(0.2)


def test_a_label_carries_the_hash_of_what_the_judge_was_asked(fake: Any) -> None:
    """Whatever the dialogue format; of both orders one after the other, each text behind a separator."""
    both = run(fake(scores=likes_first), orders="both", method="logprob").records[0]
    format, turns = comparison_format(HumanAssistant()), rows(1)[1][0].turns
    question = f"Question {both.principle_id[1:]}?"
    tasks = [
        Task(turns=turns, first=one, second=two, question=question) for one, two in (("GOOD", "BAD"), ("BAD", "GOOD"))
    ]
    texts = [text for task in tasks for text in format.comparison(task, []).texts]
    assert both.prompt_hash == hashlib.sha256("\x1f".join(texts).encode()).hexdigest()[:16]
    one = run(fake(scores=likes_first), orders="random").records[0]
    assert one.prompt_hash not in (None, both.prompt_hash)
    assert run(fake(writes=lambda request: ""), method="cot").records[0].prompt_hash is None


# Each test below guards against a defect found in a published label generator.


@pytest.mark.parametrize(("better", "worse"), [("GOOD", "BAD"), ("BAD", "GOOD")])
def test_the_verdict_decides_and_not_the_position(fake: Any, better: str, worse: str) -> None:
    """Defect: an unsatisfiable condition picks index 0 whatever the judge says."""
    pairs = [Pair(id=f"p{n}.x", prompt_id=f"p{n}", a=better, b=worse) for n in range(20)]
    made = run(fake(scores=likes_good), 20, pairs=pairs)
    expected = 0.75 if better == "GOOD" else 0.25
    assert [c.p_a_preferred for c in made.records] == pytest.approx([expected] * 20)
    assert {c.shown_first for c in made.records} == {"a", "b"}


def test_a_judge_that_names_one_position_twice_makes_no_label(fake: Any) -> None:
    """Defect: the same option named in both orders becomes a pair of two random answers."""
    made = run(fake(scores=likes_first), 10, orders="both")
    assert [c.p_a_preferred for c in made.records] == pytest.approx([0.5] * 10)


@pytest.mark.parametrize(
    "logprobs",
    [
        (),
        (-1.0,),
        (-1.0, -2.0, -3.0),
        (math.nan, -1.0),
        (-1.0, -math.inf),
        (-math.inf, -math.inf),
        (math.inf, -1.0),
        (0.5, -1.0),
    ],
)
@pytest.mark.parametrize("orders", ["random", "both"])
def test_missing_probabilities_are_no_verdict(fake: Any, logprobs: tuple[float, ...], orders: str) -> None:
    """Defects: an unreadable verdict becomes "A", a tie or 0; an option outside the top-k gets the last log-prob."""
    made = run(fake(scores=lambda r: logprobs), orders=orders)
    (comparison,) = made.records
    assert comparison.p_a_preferred is None
    assert comparison.unscored == "no probabilities"
    assert comparison.raw is not None
    assert all(str(value) in comparison.raw for value in logprobs)
    assert made.noted == {"unscored: no probabilities": 1}


def test_one_unreadable_order_leaves_the_pair_unscored(fake: Any) -> None:
    """Half a double verdict is not a verdict: it would bring the position bias back."""
    model = fake(scores=lambda r: (-1.0, -2.0) if "(A) GOOD" in r.prompt else (math.nan, -1.0))
    (comparison,) = run(model, orders="both").records
    assert comparison.p_a_preferred is None


def test_the_drawn_order_is_the_shown_order(fake: Any) -> None:
    """Defect: a swap flag that is drawn and never read."""
    model = fake(scores=likes_first)
    made = run(model, 40)
    for comparison, request in zip(made.records, model.score_requests, strict=True):
        first = {"a": "GOOD", "b": "BAD"}[comparison.shown_first]
        assert f"(A) {first}" in request.prompt
        assert comparison.p_a_preferred == pytest.approx(0.8 if comparison.shown_first == "a" else 0.2)
    share = sum(c.shown_first == "a" for c in made.records) / 40
    assert 0.25 < share < 0.75


def test_swapping_the_answers_of_a_pair_swaps_its_label(fake: Any) -> None:
    pairs, _ = rows(10)
    swapped = [pair.model_copy(update={"a": pair.b, "b": pair.a}) for pair in pairs]
    for orders in ("random", "both"):
        before = run(fake(scores=likes_good), 10, pairs=pairs, orders=orders).records
        after = run(fake(scores=likes_good), 10, pairs=swapped, orders=orders).records
        for one, other in zip(before, after, strict=True):
            assert one.p_a_preferred == pytest.approx(other.swap().p_a_preferred)


def test_identical_answers_are_never_judged(fake: Any) -> None:
    model = fake(scores=likes_first)
    made = run(model, pairs=[Pair(id="x", prompt_id="p0", a="same", b="same")])
    assert (made.records, made.dropped, model.score_requests) == ((), {"identical": 1}, [])


# What the judge is shown.


def test_one_principle_per_pair_from_its_own_generator(fake: Any) -> None:
    model = fake(scores=likes_good)
    made = run(model, 60)
    drawn = {c.principle_id for c in made.records}
    assert drawn == {"q0", "q1", "q2", "q3"}
    for comparison, request in zip(made.records, model.score_requests, strict=True):
        assert f"\n\nQuestion {comparison.principle_id[1:]}?\nOptions:\n" in request.prompt
        assert request.options == (" (A)", " (B)")
        assert request.prompt.endswith("The answer is:")
    pairs, _ = rows(60)
    parts = [run(fake(scores=likes_good), 60, pairs=part).records for part in (pairs[:7], pairs[7:])]
    assert made.records == (*parts[0], *parts[1]), "shards do not change a label"
    assert made.records != run(fake(scores=likes_good), 60, seed=1).records


def test_both_orders_share_their_principle(fake: Any) -> None:
    model = fake(scores=likes_good)
    (comparison,) = run(model, orders="both").records
    one, other = (request.prompt for request in model.score_requests)
    assert one.replace("GOOD", "\0").replace("BAD", "GOOD").replace("\0", "BAD") == other
    assert comparison.shown_first == "both"
    assert comparison.p_a_preferred == pytest.approx(0.75)


def test_few_shots_come_before_the_comparison(fake: Any) -> None:
    shot = ComparisonShot(turns=(Turn(role="human", text="s"),), better="kind", worse="unkind")
    model = fake(scores=likes_good)
    run(model, 30, few_shots=FewShots(comparison=(shot, shot)))
    prompts = [request.prompt for request in model.score_requests]
    assert all(prompt.count("Options:") == 3 for prompt in prompts)
    assert {"(A) kind" in prompt.split("The answer is:")[0] for prompt in prompts} == {True, False}
    for prompt in prompts:
        for block in prompt.split("\n\nHere is")[:2]:
            assert block.endswith("(A)") == ("(A) kind" in block)


def test_rows_share_the_drawings_of_their_examples_and_favour_no_place(fake: Any) -> None:
    shot = ComparisonShot(turns=(Turn(role="human", text="s"),), better="kind", worse="unkind")
    model = fake(scores=likes_good)
    run(model, 120, few_shots=FewShots(comparison=(shot, shot, shot)))
    begun = Counter(request.prompt.rpartition("\n\nHere is")[0] for request in model.score_requests)
    assert len(begun) == 2 * DRAWINGS and min(begun.values()) > 10
    kind_first = [examples.count("(A) kind") for examples in begun]
    assert sum(kind_first) * 2 == 3 * len(begun)


def test_labels_are_clamped_where_asked(fake: Any) -> None:
    made = run(fake(scores=likes_good), 20, clamp=(0.4, 0.6))
    assert {c.p_a_preferred for c in made.records} == {0.6}
    made = run(fake(scores=lambda r: (-1.0, -1.1)), 20, clamp=(0.4, 0.6))
    assert {round(c.p_a_preferred, 3) for c in made.records} == {0.525, 0.475}


def test_pairs_that_do_not_fit_are_dropped_and_counted(fake: Any) -> None:
    pairs = [Pair(id=f"x{n}", prompt_id="p0", a="a" * (n * 400), b="b") for n in (1, 0)]
    for method in ("logprob", "cot"):
        made = run(fake(scores=likes_first, context=400), pairs=pairs, orders="both", method=method)
        assert [c.id for c in made.records] == ["x0"]
        assert made.dropped == {"too long": 1}


def test_a_verdict_that_no_longer_fits_after_the_reasoning_is_dropped(fake: Any) -> None:
    made = run(fake(writes=lambda r: "x" * 500, scores=likes_first, context=400), method="cot")
    assert (made.records, made.dropped) == ((), {"too long": 1})


# Engines that see the likeliest tokens alone, or none.


def top_k(*scores: float) -> ScriptedModel:
    """Only the likeliest tokens come back, of which the last has -5."""
    return ScriptedModel(score=lambda _: scores, can=replace(EVERYTHING, logprobs="top-k"), lowest=-5.0)


def test_a_confident_verdict_is_bounded_and_not_dropped() -> None:
    """Defect: the surest verdicts, whose other option is not among the likeliest tokens, are the ones left out."""
    made = run(top_k(-0.01, -11.0), 20)
    for comparison in made.records:
        p_first = comparison.p_a_preferred if comparison.shown_first == "a" else 1 - comparison.p_a_preferred
        assert p_first == pytest.approx(1 / (1 + math.exp(-4.99))) and p_first < 1 / (1 + math.exp(-10.99))
    assert made.noted == {"label from a bound on one log-probability": 20}
    assert run(top_k(-0.01, -4.9), 20).noted == {}


def test_two_bounds_are_no_verdict() -> None:
    made = run(top_k(-6.0, -11.0), 3)
    assert {row.unscored for row in made.records} == {"no probabilities"}


@given(st.floats(-5, 0), st.floats(-50, -5))
def test_a_bound_makes_a_label_less_sure_and_never_more(first: float, second: float) -> None:
    true = soft_label(OptionScores(logprobs=(first, second)))
    bound = soft_label(OptionScores(logprobs=(first, -5.0), bounded=frozenset({1})))
    swapped = soft_label(OptionScores(logprobs=(-5.0, first), bounded=frozenset({0})))
    assert true is not None and bound is not None and swapped is not None
    assert 0.5 <= bound <= true + 1e-12 and swapped == pytest.approx(1 - bound)


def test_a_bound_above_what_was_seen_says_nothing() -> None:
    """The other option may be the likelier one, or not."""
    for scores, bounded in (((-6.0, -5.0), 1), ((-5.0, -6.0), 0)):
        assert soft_label(OptionScores(logprobs=scores, bounded=frozenset({bounded}))) is None


def test_a_label_from_bounds_is_noted_once_and_only_where_there_is_a_label() -> None:
    assert run(top_k(-0.01, -11.0), 20, orders="both").noted == {"label from a bound on one log-probability": 20}

    def half(request: ScoreRequest) -> tuple[float, float]:
        return (-0.01, -11.0) if "(A) GOOD" in request.prompt else (math.nan, -1.0)

    model = ScriptedModel(score=half, can=replace(EVERYTHING, logprobs="top-k"), lowest=-5.0)
    assert run(model, 20, orders="both").noted == {"unscored: no probabilities": 20}


@pytest.mark.parametrize("method", ["logprob", "cot"])
@pytest.mark.parametrize(
    ("lacking", "what"),
    [
        ({"logprobs": "none"}, "gives no log-probabilities, and the judge's labels are made of them"),
        ({"prefill": False}, "cannot go on with a reply that is begun, and the judge's verdicts are"),
    ],
)
def test_a_judge_that_could_make_no_label_is_told_at_once(lacking: Any, what: str, method: str) -> None:
    with pytest.raises(EngineUnavailableError) as error:
        run(ScriptedModel(can=replace(EVERYTHING, **lacking)), method=method)
    assert str(error.value) == f"scripted {what} (choose another model as judge)"


# Chain of thought.


def test_options_are_scored_after_the_reasoning(fake: Any) -> None:
    model = fake(writes=lambda r: "Both are short.", scores=likes_good)
    (comparison,) = run(model, method="cot").records
    (thought,), (scored,) = model.write_requests, model.score_requests
    assert thought.prompt.endswith("\n\nAssistant: Let's think step by step:")
    assert (thought.temperature, thought.max_new_tokens) == (1.0, 33)
    assert scored.prompt == f"{thought.prompt} Both are short.\n\nHuman: So the answer is:"
    assert (comparison.rationale, comparison.method) == ("Both are short.", "cot")
    assert comparison.p_a_preferred == pytest.approx(0.75)


def test_reasoned_examples_take_the_question_of_the_pair(fake: Any) -> None:
    shot = ReasoningShot(turns=(Turn(role="human", text="s"),), first="x", second="y", rationale="x.", answer="A")
    model = fake(writes=lambda r: "ok", scores=likes_good)
    (comparison,) = run(model, method="cot", few_shots=FewShots(reasoning=(shot,))).records
    question = f"Question {comparison.principle_id[1:]}?"
    assert model.write_requests[0].prompt.count(question) == 2


@pytest.mark.parametrize(
    ("written", "reason"),
    [
        (said(""), "empty reasoning"),
        (said("First of all", tokens=33, ended="length"), "reasoning cut off"),
    ],
)
def test_unfinished_reasoning_is_no_verdict(fake: Any, written: Completion, reason: str) -> None:
    model = fake(writes=lambda r: written, scores=likes_good)
    (comparison,) = run(model, method="cot").records
    assert (comparison.p_a_preferred, comparison.unscored, comparison.raw) == (None, reason, written.text)
    assert model.score_requests == [], "an option after it would mean nothing"


def test_both_orders_reason_separately(fake: Any) -> None:
    def think(request: SampleRequest) -> str:
        return "GOOD is first." if "(A) GOOD" in request.prompt else "BAD is first."

    model = fake(writes=think, scores=likes_good)
    (comparison,) = run(model, method="cot", orders="both").records
    assert comparison.rationale == "GOOD is first.\n\nBAD is first."
    assert len({request.seed for request in model.write_requests}) == 2


# Arithmetic, and the limit.


def test_worked_example() -> None:
    assert soft_label(OptionScores(logprobs=(-1.0, -2.0))) == pytest.approx(0.7310586)


@given(st.floats(-1e6, 0), st.floats(-1e6, 0))
def test_a_label_is_a_softmax_over_two(first: float, second: float) -> None:
    p, q = soft_label(OptionScores(logprobs=(first, second))), soft_label(OptionScores(logprobs=(second, first)))
    assert p is not None
    assert q is not None
    assert 0.0 <= p <= 1.0
    assert p + q == pytest.approx(1.0)
    assert (p > 0.5) <= (first > second)


def test_too_many_unscored_verdicts_stop_the_stage(fake: Any) -> None:
    model = fake(scores=lambda r: (math.nan, 0.0) if "ask 1" in r.prompt else (-1.0, -2.0))
    comparisons = [row.unscored for row in run(model, 4).records]
    check_unscored(comparisons, 0.25)
    with pytest.raises(UnscoredError, match=r"1 of 4 comparisons could not be read \(no probabilities: 1\)"):
        check_unscored(comparisons, 0.24)
    check_unscored((), 0.0)


def test_a_principle_without_a_question_is_a_mistake_of_the_caller(fake: Any) -> None:
    pairs, prompts = rows(1)
    pair_only = Principle(id="x", title="t", critique_request="c", revision_request="r")
    format = comparison_format(HumanAssistant())
    asked = sampler(fake(), SAMPLING, "comparisons")
    judge = Judge(sampler=asked, format=format, principles=[pair_only], section=JudgeSection())
    with pytest.raises(ValueError, match="'x' has no comparison question"):
        judge.compare(pairs, {"p0": prompts[0]})


@pytest.mark.parametrize("method", ["logprob", "cot"])
def test_examples_that_leave_no_room_are_left_out_and_noted(fake: Any, method: str) -> None:
    turns = (Turn(role="human", text="s"),)
    shots = FewShots(
        comparison=(ComparisonShot(turns=turns, better="b" * 200, worse="w"),),
        reasoning=(ReasoningShot(turns=turns, first="f" * 200, second="s", rationale="r", answer="A"),),
    )
    model = fake(writes=lambda r: "ok", scores=likes_good, context=350)
    made = run(model, method=method, few_shots=shots)
    assert made.noted == {"few-shot examples left out": 1}
    assert "bbb" not in model.score_requests[0].prompt
    assert made.records[0].p_a_preferred == pytest.approx(0.75)
