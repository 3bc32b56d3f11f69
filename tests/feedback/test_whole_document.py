"""A judge that reads a document as a whole, as far as its context holds it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from feedback.fake_model import sampler
from solon.config.feedback import JudgeSection
from solon.constitution.few_shots import FewShots
from solon.constitution.load import load_constitution
from solon.constitution.principles import Principle
from solon.feedback.whole_document import DocumentJudge
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.protocols import Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Comparison, Pair, Prompt, Turn

CHARTER = load_constitution("charter")
PROMPT = Prompt(id="p", kind="benign", turns=(Turn(role="human", text="Is this poem of mine honest?"),))
PAIR = Pair(id="p.0", prompt_id="p", a="Yes.", b="It flatters, and does not say what you believe to be true.")


def judge(model: Any, *, most: int | None = None, **section: Any) -> DocumentJudge:
    return DocumentJudge(
        sampler=sampler(model, Sampling(max_new_tokens=100), "comparisons"),
        format=comparison_format(HumanAssistant()),
        principles=CHARTER.comparison_principles(),
        section=JudgeSection(**{"orders": "both", **section}),
        document=CHARTER,
        render=HumanAssistant().render,
        count_tokens=len,
        most_tokens=most,
    )


def limited(fake: Any, context: int | None, **functions: Any) -> Any:
    """A model of so many characters."""
    more = {} if context is None else {"context": context}
    return fake(can=replace(EVERYTHING, context=context), **more, **functions)


def only(rows: Any) -> Comparison:
    [record] = rows.records
    return record  # type: ignore[no-any-return]


def test_without_a_limit_the_judge_reads_every_article(fake: Any) -> None:
    model = limited(fake, None)
    rows = judge(model).compare([PAIR], {"p": PROMPT})
    assert only(rows).principle_id == "whole"
    assert only(rows).articles == CHARTER.precedence
    assert rows.noted["articles without room"] == 0
    assert rows.noted["article read: honesty"] == 1
    for request in model.score_requests:
        assert all(one.title in request.prompt for one in CHARTER.principles)


@pytest.mark.parametrize("context", [2200, 2800])
@pytest.mark.parametrize("method", ["logprob", "cot"])
def test_a_limit_is_kept_and_the_choice_recorded(fake: Any, context: int, method: str) -> None:
    """The fake refuses what is longer than its context, so that a question too long would be dropped."""
    model = limited(fake, context, scores=lambda request: (-1.0, -2.0))
    rows = judge(model, method=method).compare([PAIR], {"p": PROMPT})
    row = only(rows)
    assert not rows.dropped
    assert 0 < len(row.articles) < len(CHARTER.articles)
    assert rows.noted["articles without room"] == len(CHARTER.articles) - len(row.articles)
    assert {name for name in rows.noted if name.startswith("article read")} == {
        f"article read: {one}" for one in row.articles
    }
    requests: list[ScoreRequest] = model.score_requests
    for request in requests:
        for one in CHARTER.principles:
            assert (f"\n{one.title}\n" in request.prompt) == (one.id in row.articles)
        assert all(f"- {constraint}" in request.prompt for constraint in CHARTER.hard_constraints)
    assert len(requests[0].prompt) > context * 0.75  # room is used


def test_a_cap_comes_before_the_context(fake: Any) -> None:
    row = only(judge(limited(fake, None), most=1700).compare([PAIR], {"p": PROMPT}))
    assert 0 < len(row.articles) < len(CHARTER.articles)


def test_a_pair_without_room_for_an_article_is_dropped_and_counted(fake: Any) -> None:
    rows = judge(limited(fake, 1200)).compare([PAIR], {"p": PROMPT})
    assert rows.records == ()
    assert rows.dropped == {"too long": 1}


TURNS = ({"role": "human", "text": "Is it late?"},)
SHOTS = FewShots.model_validate(
    {
        "comparison": [{"turns": TURNS, "better": "A quarter to nine.", "worse": "No idea."}] * 2,
        "reasoning": [{"turns": TURNS, "first": "No.", "second": "Yes.", "rationale": "Dark.", "answer": "B"}] * 2,
    }
)


@pytest.mark.parametrize("method", ["logprob", "cot"])
@pytest.mark.parametrize("context", [None, 5500, 8000])
def test_examples_ask_by_an_article_and_have_their_room(fake: Any, context: int | None, method: str) -> None:
    model = limited(fake, context, scores=lambda request: (-1.0, -2.0))
    rows = replace(judge(model, method=method), shots=SHOTS).compare([PAIR], {"p": PROMPT})
    assert not [name for name in rows.noted if "few-shot" in name]
    for request in model.score_requests:
        assert request.prompt.count("Which of these responses keeps better to this article?") == 2
        assert request.prompt.count("keeps better to the constitution as a whole?") == 1


def test_examples_give_way_where_no_article_would_have_room(fake: Any) -> None:
    rows = replace(judge(limited(fake, 2200)), shots=SHOTS).compare([PAIR], {"p": PROMPT})
    assert only(rows).articles
    assert [name for name in rows.noted if "few-shot" in name]


def test_an_article_is_counted_once_for_all_pairs(fake: Any) -> None:
    counted: list[str] = []

    def count(text: str) -> int:
        counted.append(text)
        return len(text)

    pairs = [PAIR.model_copy(update={"id": f"p.{number}"}) for number in range(3)]
    rows = replace(judge(limited(fake, 2800)), count_tokens=count).compare(pairs, {"p": PROMPT})
    assert len(rows.records) == 3
    assert all(sum(one.text in text for text in counted) == 1 for one in CHARTER.articles)


def test_identical_answers_are_counted_as_such_even_without_room(fake: Any) -> None:
    same = PAIR.model_copy(update={"a": PAIR.b})
    assert judge(limited(fake, 1200)).compare([same], {"p": PROMPT}).dropped == {"identical": 1}


def test_asked_by_one_principle_it_is_a_judge_like_any_other(fake: Any) -> None:
    asked = Principle(id="one", title="One", comparison_question="Which?")
    row = only(judge(limited(fake, None)).compare([PAIR], {"p": PROMPT}, asked))
    assert (row.principle_id, row.articles) == ("one", ())
    assert "articles" not in row.model_dump()
