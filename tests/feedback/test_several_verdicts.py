"""Labels of several verdicts: principles, orders, rationales; and verdicts that are none."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from feedback.fake_model import sampler
from feedback.test_judge import likes_first, likes_good, rows
from solon.config.feedback import JudgeSection
from solon.constitution.controls import blank
from solon.constitution.few_shots import ComparisonShot, FewShots, ReasoningShot
from solon.constitution.precedence import HARD_CONSTRAINTS, in_order
from solon.constitution.principles import Constitution, Principle, draw_several
from solon.errors import ConstitutionError, ProseError
from solon.evals.bias import position_bias
from solon.evals.reliability import tempered
from solon.feedback.judge import NO_CONFLICT, Judge, question_of
from solon.feedback.verdicts import REFUSED, Opinion, pooled
from solon.lm.protocols import OptionScores, SampleRequest, Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Comparison, Turn


def principle(name: str, weight: float = 1.0) -> Principle:
    return Principle(id=name, title=name, comparison_question=f"Which is {name}?", weight=weight)


KIND, TRUE, BRIEF = principle("kind"), principle("true"), principle("brief", weight=2.0)


def judged(
    model: Any, *principles: Principle, count: int = 1, shots: Any = None, asks: Any = question_of, **section: Any
) -> Any:
    pairs, prompts = rows(count)
    judge = Judge(
        sampler=sampler(model, Sampling(max_new_tokens=33), "comparisons"),
        format=comparison_format(HumanAssistant(), section.get("wording", "solon")),
        principles=principles or (KIND, TRUE, BRIEF),
        section=JudgeSection(**section),
        shots=shots or FewShots(),
        asks=asks,
    )
    return judge.compare(pairs, {prompt.id: prompt for prompt in prompts})


def says(**p_good: float | None) -> Any:
    """Gives the good answer so much under each principle, wherever it is shown; None: nothing that can be read."""

    def score(request: ScoreRequest) -> tuple[float, float]:
        name = request.prompt.rpartition("Which is ")[2].partition("?")[0]
        p = p_good[name]
        if p is None:
            return math.nan, -1.0
        return (math.log(p), math.log(1 - p)) if "(A) GOOD" in request.prompt else (math.log(1 - p), math.log(p))

    return score


# Over principles.


def test_all_principles_are_asked_and_weighted_where_as_many_are_wanted(fake: Any) -> None:
    (label,) = judged(fake(scores=says(kind=0.9, true=0.6, brief=0.3)), principles=9).records
    assert label.p_a_preferred == pytest.approx((0.9 + 0.6 + 2 * 0.3) / 4)
    assert label.principle_id is None and label.shown_first == "both"
    assert [(one.principle_id, one.shown_first) for one in label.verdicts] == [
        (name, first) for name in ("kind", "true", "brief") for first in ("a", "b")
    ]
    assert [one.p_a_preferred for one in label.verdicts] == pytest.approx([0.9, 0.9, 0.6, 0.6, 0.3, 0.3])


def test_some_principles_are_drawn_and_differ(fake: Any) -> None:
    labels = judged(fake(scores=says(kind=0.9, true=0.6, brief=0.3)), count=40, principles=2, orders="random").records
    names = [[one.principle_id for one in label.verdicts] for label in labels]
    assert all(len(set(two)) == 2 for two in names) and len({frozenset(two) for two in names}) == 3
    value = {"kind": 0.9, "true": 0.6, "brief": 0.3}
    for label, two in zip(labels, names, strict=True):
        assert label.p_a_preferred == pytest.approx(sum(value[name] for name in two) / 2)


def test_one_of_several_is_drawn_as_ever() -> None:
    drawn = [draw_several((KIND, TRUE, BRIEF), 1, np.random.default_rng(seed))[0].id for seed in range(400)]
    assert drawn.count("brief") == pytest.approx(200, abs=40)


def test_a_principle_without_a_verdict_is_left_out_of_the_mean_and_noted(fake: Any) -> None:
    made = judged(fake(scores=says(kind=0.9, true=None, brief=0.3)), principles=3)
    assert made.records[0].p_a_preferred == pytest.approx((0.9 + 2 * 0.3) / 3)
    assert made.noted == {"principles left out of a mean: no verdict": 1}
    (label,) = judged(fake(scores=says(kind=None, true=None, brief=None)), principles=3).records
    assert (label.p_a_preferred, label.unscored) == (None, "no probabilities")


def test_a_single_verdict_is_not_said_twice(fake: Any) -> None:
    (label,) = judged(fake(scores=likes_good), orders="random").records
    assert label.verdicts == () and "verdicts" not in label.model_dump_json()


# By the first that decides.


def test_principles_are_drawn_until_one_decides(fake: Any) -> None:
    model = fake(scores=says(kind=0.55, true=0.9, brief=0.45))
    labels = judged(model, count=60, decide="first", draws=3).records
    assert {label.principle_id for label in labels} == {"true"}
    assert [label.p_a_preferred for label in labels] == pytest.approx([0.9] * 60)
    orders = [tuple(dict.fromkeys(one.principle_id for one in label.verdicts)) for label in labels]
    assert all(order[-1] == "true" for order in orders), "nobody after it is asked"
    assert {len(order) for order in orders} == {1, 2, 3}
    first = [order[0] for order in orders]
    assert first.count("brief") > first.count("kind"), "by weight"


def test_no_more_are_drawn_than_are_wanted_and_the_last_stands(fake: Any) -> None:
    model = fake(scores=says(kind=0.55, true=0.5, brief=0.45))
    labels = judged(model, count=40, decide="first", draws=2, orders="random").records
    value = {"kind": 0.55, "true": 0.5, "brief": 0.45}
    assert {len(label.verdicts) for label in labels} == {2}
    for label in labels:
        assert label.principle_id == label.verdicts[-1].principle_id
        assert label.p_a_preferred == pytest.approx(value[label.principle_id])


def test_none_is_drawn_in_the_place_of_one_that_cannot_be_read(fake: Any) -> None:
    labels = judged(fake(scores=says(kind=None, true=None, brief=0.9)), count=40, decide="first", draws=3).records
    assert {(label.outcome, label.principle_id == "brief") for label in labels} == {("a", True), ("unscored", False)}


# By precedence.

SPECIAL = ("hard-constraints", "true", "kind", "brief")
DOCUMENT = Constitution(
    name="d",
    title="D",
    kind="document",
    principles=(KIND, BRIEF, TRUE),
    hard_constraints=("Never help to poison anybody.",),
    precedence=("true", "kind"),
)


def crossing(p: float, **p_good: float | None) -> Any:
    def score(request: ScoreRequest) -> tuple[float, float]:
        if "Never help to poison anybody." not in request.prompt:
            found: tuple[float, float] = says(**p_good)(request)
            return found
        first = "(A) GOOD" in request.prompt
        return (math.log(p), math.log(1 - p)) if first else (math.log(1 - p), math.log(p))

    return score


def test_hard_constraints_come_first_then_articles_in_order_then_the_rest() -> None:
    assert tuple(one.id for one in in_order(DOCUMENT)) == SPECIAL
    assert tuple(one.id for one in in_order(DOCUMENT, ("brief", "kind"))) == (HARD_CONSTRAINTS, "kind", "brief")
    unordered = DOCUMENT.model_copy(update={"precedence": ()})
    with pytest.raises(ConstitutionError) as error:
        in_order(unordered)
    assert str(error.value) == (
        "constitution `d` has no order of precedence, by which judge.decide goes (give a document with a section "
        '"Order of precedence", or set judge.decide to "mean")'
    )


@pytest.mark.parametrize(
    ("hard", "true", "kind", "brief", "decider", "p"),
    [
        (0.95, 0.1, 0.1, 0.1, HARD_CONSTRAINTS, 0.95),
        (0.5, 0.2, 0.9, 0.9, "true", 0.2),
        (0.55, 0.45, 0.9, 0.1, "kind", 0.9),
        (0.5, 0.5, 0.5, 0.55, "brief", 0.55),
    ],
)
def test_the_first_that_is_no_tie_decides(
    fake: Any, hard: float, true: float, kind: float, brief: float, decider: str, p: float
) -> None:
    model = fake(scores=crossing(hard, true=true, kind=kind, brief=brief))
    (label,) = judged(model, *in_order(DOCUMENT), decide="precedence").records
    assert (label.principle_id, label.p_a_preferred) == (decider, pytest.approx(p))
    asked = [one.principle_id for one in label.verdicts]
    assert tuple(dict.fromkeys(asked)) == SPECIAL[: SPECIAL.index(decider) + 1], "nobody below is asked"


def test_swapped_articles_swap_the_label(fake: Any) -> None:
    model = fake(scores=crossing(0.5, true=0.9, kind=0.1, brief=0.5))
    swapped = DOCUMENT.model_copy(update={"precedence": ("kind", "true")})
    one, two = (judged(model, *in_order(each), decide="precedence").records[0] for each in (DOCUMENT, swapped))
    assert (one.outcome, two.outcome) == ("a", "b")


def test_an_unreadable_article_is_not_passed_over(fake: Any) -> None:
    model = fake(scores=crossing(0.5, true=None, kind=0.9, brief=0.9))
    (label,) = judged(model, *in_order(DOCUMENT), decide="precedence").records
    assert (label.outcome, label.unscored, label.principle_id) == ("unscored", "no probabilities", "true")


@pytest.mark.parametrize(
    ("true", "kind", "brief", "decider"),
    [(0.9, 0.2, 0.5, "true"), (0.45, 0.2, 0.9, "kind"), (0.9, 0.9, 0.45, None), (0.5, 0.5, 0.5, None)],
)
def test_where_conflicts_alone_are_wanted_pairs_without_one_are_dropped(
    fake: Any, true: float, kind: float, brief: float, decider: str | None
) -> None:
    model = fake(scores=crossing(0.5, true=true, kind=kind, brief=brief))
    found = judged(model, *in_order(DOCUMENT), decide="precedence", conflicts=True)
    assert [label.principle_id for label in found.records] == ([decider] if decider else [])
    assert dict(found.dropped) == ({} if decider else {NO_CONFLICT: 1})
    everything = judged(model, *in_order(DOCUMENT), decide="precedence").records
    assert found.records in ((), everything), "what is kept has the label that it would have had"


def test_a_conflict_below_what_cannot_be_read_is_unscored(fake: Any) -> None:
    model = fake(scores=crossing(0.5, true=None, kind=0.9, brief=0.1))
    (label,) = judged(model, *in_order(DOCUMENT), decide="precedence", conflicts=True).records
    assert (label.outcome, label.principle_id) == ("unscored", "true")


# Rationales.


def test_the_mean_of_several_rationales(fake: Any) -> None:
    thoughts = iter(("(A) is kind.", "(B) is kind.", "(A), surely."))

    def score(request: ScoreRequest) -> tuple[float, float]:
        p = 0.9 if "(A)" in request.prompt.rpartition("step by step:")[2] else 0.3
        return math.log(p), math.log(1 - p)

    model = fake(writes=lambda r: next(thoughts), scores=score)
    (label,) = judged(model, KIND, method="cot", orders="random", rationales=3).records
    p_first = label.p_a_preferred if label.shown_first == "a" else 1 - label.p_a_preferred
    assert p_first == pytest.approx((0.9 + 0.3 + 0.9) / 3)
    assert label.rationale == "(A) is kind.\n\n(B) is kind.\n\n(A), surely."
    assert len({request.seed for request in model.write_requests}) == 3


def test_one_rationale_of_several_may_be_lost(fake: Any) -> None:
    thoughts = iter(("(A) is kind.", ""))
    model = fake(writes=lambda r: next(thoughts), scores=likes_good)
    made = judged(model, KIND, method="cot", orders="random", rationales=2)
    (label,) = made.records
    assert label.p_a_preferred == pytest.approx(0.75)
    assert made.noted["rationales left out of a mean: empty reasoning"] == 1
    model = fake(writes=lambda r: "", scores=likes_good)
    (label,) = judged(model, KIND, method="cot", orders="random", rationales=2).records
    assert label.unscored == "empty reasoning"


def test_what_a_lost_rationale_said_stands_in_the_row(fake: Any) -> None:
    no = "I cannot judge this."
    thoughts = iter((no, "(A) is kind.", no))
    model = fake(writes=lambda r: next(thoughts), scores=likes_good)
    made = judged(model, KIND, method="cot", orders="random", rationales=3)
    (label,) = made.records
    assert made.noted[f"rationales left out of a mean: {REFUSED}"] == 2 and label.raw is None
    assert [(one.unscored, one.raw) for one in label.verdicts] == [(None, f"{no}\n\n{no}")]
    assert position_bias([label], [None]) is not None


def test_each_verdict_that_could_not_be_read_says_why(fake: Any) -> None:
    model = fake(writes=lambda r: "(A) is kind." if "(A) GOOD" in r.prompt else "I cannot judge this.")
    (label,) = judged(model, KIND, method="cot").records
    assert label.unscored == REFUSED
    assert [(one.unscored, one.raw) for one in label.verdicts] == [(None, None), (REFUSED, "I cannot judge this.")]
    assert "unscored" not in label.verdicts[0].model_dump() and "raw" not in label.verdicts[0].model_dump()


@pytest.mark.parametrize("section", [{"method": "cot"}, {}])
def test_examples_do_not_tell_the_constitution_that_a_control_leaves_out(fake: Any, section: dict[str, Any]) -> None:
    turns = (Turn(role="human", text="s"),)
    shots = FewShots(
        reasoning=(ReasoningShot(turns=turns, first="x", second="y", rationale="x.", answer="A"),),
        comparison=(ComparisonShot(turns=turns, better="x", worse="y"),),
    )
    model = fake(writes=lambda r: "ok", scores=likes_good)
    judged(model, shots=shots, asks=blank, orders="random", **section)
    asked = [request.prompt for request in (*model.write_requests, *model.score_requests)]
    assert asked and not any("Which is" in prompt for prompt in asked)
    assert all(prompt.count("Choose one of these responses.") == 2 for prompt in asked)


def test_the_first_rationale_is_the_same_however_many_follow(fake: Any) -> None:
    seeds = []
    for count in (1, 3):
        model = fake(writes=lambda r: "(A).", scores=likes_good)
        judged(model, KIND, method="cot", orders="random", rationales=count)
        seeds.append(model.write_requests[0].seed)
    assert seeds[0] == seeds[1]


def test_in_the_paper_s_words_with_its_follow_up_turn_and_clamped(fake: Any) -> None:
    model = fake(writes=lambda r: "(A) is kind.", scores=likes_first)
    section = {"method": "cot", "orders": "random", "wording": "paper", "clamp": (0.4, 0.6)}
    (label,) = judged(model, KIND, **section).records
    (scored,) = model.score_requests
    assert scored.prompt.endswith("Assistant: Let's think step by step: (A) is kind.\n\nHuman:\nSo the answer is:")
    assert "[[[GOOD]]]" in scored.prompt and label.p_a_preferred in (0.4, 0.6)


def test_reasoned_examples_ask_by_the_principle_that_is_asked(fake: Any) -> None:
    shot = ReasoningShot(turns=(Turn(role="human", text="s"),), first="x", second="y", rationale="x.", answer="A")
    model = fake(writes=lambda r: "ok", scores=likes_good)
    judged(model, method="cot", orders="random", principles=3, shots=FewShots(reasoning=(shot,)))
    assert [request.prompt.count("Which is kind?") for request in model.write_requests] == [2, 0, 0]


# What is no verdict.


@pytest.mark.parametrize(
    ("thought", "refused"),
    [
        ("I'm sorry, but I can't help with comparing these responses.", True),
        ("I will not do that.", True),
        ("I cannot answer a question like that.", True),
        ("I can\u2019t in good conscience choose between them. Both are harmful.", True),
        ("I cannot find a fault in either of them, so they are even.", False),
        ('(B) says "I can\'t help with that." That is the safer response.', False),
        ("Option A refuses: I cannot assist with that request. It is the better one.", False),
        ("The first is kinder, and the second is curt.", False),
        (
            'The first response says "I can\'t help with that." The second gives instructions. The first is better.',
            False,
        ),
        ("It says \u201cI can\u2019t help with that.\u201d That is safer.", False),
        ("It says 'I can't help with that.' That is safer.", False),
        (
            "One says: I'm sorry, but I can't help with that. The other gives the recipe, so the former is better.",
            False,
        ),
        ("I cannot decide lightly, but the first is safer.", False),
        ("I cannot choose between response A and response B.", True),
        ("I can't compare (A) and (B)", True),
        ("I'm sorry, I can't judge the first against the second.", True),
    ],
)
def test_a_judge_that_refuses_to_reason_gives_no_verdict(fake: Any, thought: str, refused: bool) -> None:
    model = fake(writes=lambda r: thought, scores=likes_good)
    made = judged(model, KIND, method="cot", orders="random")
    (label,) = made.records
    assert label.unscored == (REFUSED if refused else None)
    assert label.outcome == ("unscored" if refused else "a")
    assert label.raw == (thought if refused else None)
    assert made.noted[f"unscored: {REFUSED}"] == refused


@pytest.mark.parametrize(
    ("prose", "reason"),
    [("I'm sorry, I can't choose either.", REFUSED), ("Both are fine in their way.", "prose for a verdict")],
)
def test_prose_in_the_place_of_an_option_is_told_from_a_refusal(fake: Any, prose: str, reason: str) -> None:
    class Prosaic:
        def __init__(self) -> None:
            self.inner = fake()
            self.can, self.identity = self.inner.can, "prosaic"

        async def score(self, context: Any, options: Any) -> OptionScores:
            raise ProseError(f"5 of 8 replies name no option, e.g. {prose!r}", said=prose)

    (label,) = judged(Prosaic(), KIND, orders="random").records
    assert label.unscored == reason and prose in (label.raw or "")


def test_the_outcome_of_a_label_is_one_of_four() -> None:
    def label(p: float | None) -> Comparison:
        return Comparison(
            id="x",
            prompt_id="p",
            a="1",
            b="2",
            p_a_preferred=p,
            unscored=None if p is not None else "why",
            rater="model",
            objective="harmlessness",
        )

    assert [label(p).outcome for p in (0.51, 0.49, 0.5, None)] == ["a", "b", "tie", "unscored"]
    assert [label(p).swap().outcome for p in (0.51, 0.49, 0.5, None)] == ["b", "a", "tie", "unscored"]


# Arithmetic.


def test_pooled_opinions() -> None:
    read = [Opinion(p_a=0.9, rationale="x"), Opinion(p_a=0.6, bounded=True)]
    lost = Opinion(unscored="why", raw="text", unread=2)
    assert pooled(read, strict=True) == Opinion(p_a=0.75, rationale="x", bounded=True)
    assert pooled([*read, lost], strict=False) == Opinion(p_a=0.75, rationale="x", bounded=True, unread=2)
    assert pooled([*read, lost], strict=True) == Opinion(unscored="why", raw="text", rationale="x", unread=2)
    assert pooled(read, [3.0, 1.0], strict=True).p_a == pytest.approx(0.825)


@pytest.mark.parametrize(
    ("p", "temperature", "expected"),
    [(0.9, 2.0, 0.75), (0.75, 0.5, 0.9), (0.3, 1.0, 0.3), (1.0, 3.0, 1.0), (0.9, 1e-6, 1.0)],
)
def test_tempered_odds(p: float, temperature: float, expected: float) -> None:
    assert tempered(p, temperature) == pytest.approx(expected)
    assert tempered(1 - p, temperature) == pytest.approx(1 - expected)


def test_labels_are_scaled_before_they_are_clamped(fake: Any) -> None:
    model = fake(scores=says(kind=0.9))
    assert judged(model, KIND, temperature=2.0).records[0].p_a_preferred == pytest.approx(0.75)
    assert judged(model, KIND, temperature=2.0, clamp=(0.3, 0.7)).records[0].p_a_preferred == 0.7
    (label,) = judged(model, KIND, temperature=2.0).records
    assert [one.p_a_preferred for one in label.verdicts] == pytest.approx([0.9, 0.9]), "as the judge said it"


def test_keys_at_their_defaults_are_no_part_of_what_a_stage_depends_on() -> None:
    assert JudgeSection(orders="random").result_settings() == {"method": "logprob", "orders": "random", "clamp": None}
    assert JudgeSection(principles=2).result_settings()["principles"] == 2


def test_a_sample_request_is_made_for_each_order_and_rationale(fake: Any) -> None:
    model = fake(writes=lambda r: "(A).", scores=likes_good)
    judged(model, method="cot", principles=2, rationales=2)
    assert len(model.write_requests) == len(model.score_requests) == 2 * 2 * 2
    assert all(isinstance(request, SampleRequest) for request in model.write_requests)
