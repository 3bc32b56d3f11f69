"""Data made from articles: scenarios, dialogues that explain themselves, ranked answers."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest

from feedback.fake_model import Fake, sampler
from solon.config.feedback import JudgeSection
from solon.constitution.articles import Written, written_articles
from solon.constitution.principles import Article, Constitution, Principle
from solon.feedback import dialogues
from solon.feedback.dialogues import (
    dialogue_demonstrations,
    dialogue_verdicts,
    explain,
    explanation_prompts,
    names_fault,
)
from solon.feedback.judge import Judge
from solon.feedback.prompt_writing import Reply
from solon.feedback.ranking import rank, standing
from solon.feedback.scenarios import requests_for, scenarios_of, sift, write_scenarios
from solon.lm.protocols import SampleRequest, Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Comparison, Prompt, Turn

SAMPLING = Sampling(max_new_tokens=50)


def written(name: str, title: str) -> Written:
    principle = Principle(id=name, title=title, comparison_question=f"Which is {title}?")
    return Written(id=name, title=title, text=f"Be {title}.", principle=principle)


HONESTY, CARE = written("honesty", "Honesty"), written("care-2", "Care (2)")
ARTICLES = (HONESTY, CARE)
BY_ID = {one.id: one for one in ARTICLES}
PROMPTS = [
    Prompt(id=f"s{n}", kind="scenario", turns=(Turn(role="human", text=f"Ask {n}?"),), principle_id="honesty")
    for n in range(3)
]


def judge(model: Any, stage: str = "dialogues") -> Judge:
    return Judge(
        sampler=sampler(model, SAMPLING, stage),
        format=comparison_format(HumanAssistant(), "solon"),
        principles=[one.principle for one in ARTICLES],
        section=JudgeSection(),
    )


def test_articles_of_a_document_are_its_texts_and_of_a_list_what_it_asks() -> None:
    principles = (HONESTY.principle, Principle(id="x", title="X", critique_request="Any?", revision_request="Mend it."))
    listed = Constitution(name="l", title="L", principles=principles)
    assert [(one.id, one.text) for one in written_articles(listed)] == [("honesty", "Which is Honesty?")]
    document = listed.model_copy(update={"articles": (Article(id="honesty", text="Tell no lies."),)})
    assert [(one.id, one.text) for one in written_articles(document)] == [("honesty", "Tell no lies.")]


def test_requests_take_turns_and_quote_their_article() -> None:
    asked = requests_for(ARTICLES, per_article=4, tries=2.0)
    assert [one.article.id for one in asked] == ["honesty", "care-2", "honesty", "care-2"], "4 times 2 are 8 prompts"
    model = Fake(writes=lambda request: " How am I?\n2. Who are you?")
    replies = write_scenarios(asked, sampler(model, SAMPLING, "scenarios")).records
    assert [(one.request, one.category) for one in replies] == list(enumerate(["honesty", "care-2"] * 2))
    assert "\n\nHonesty\nBe Honesty.\n\n" in model.write_requests[0].prompt
    assert model.write_requests[0].prompt.endswith("numbered from 1.\n\nAssistant: 1.")
    assert len({request.seed for request in model.write_requests}) == 4


def reply(text: str, article: str = "honesty") -> Reply:
    return Reply(request=7, category=article, shown=(), text=text, cut=False)


def test_what_is_kept_names_its_article_and_what_is_not_is_counted() -> None:
    sieve = sift(
        [
            reply(" Is my cake good, honestly now?\n2. Did I win the race today?\n3. What is the run of it all?"),
            reply(
                " Is my cake good, honestly now?\n2. Do I look tired this morning?\n3. Sure! Here are some.", "care-2"
            ),
        ],
        ARTICLES,
        1,
        known=["Did I win the race today?"],
        not_like=["What is the run of it all?"],
    )
    made = list(scenarios_of(sieve, "me"))
    assert [(one.id, one.principle_id, one.kind) for one in made] == [
        ("scenario-honesty-000", "honesty", "scenario"),
        ("scenario-care-2-000", "care-2", "scenario"),
    ]
    assert made[0].turns[0].text == "Is my cake good, honestly now?"
    assert made[0].source == "written by me, request 7"
    assert sieve.dropped == Counter({"duplicate": 2, "like an evaluation prompt": 1, "not a prompt": 1})


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("I went by Honesty here.", None),
        ("My article on honesty asks for it.", None),
        ("Honesty, and Care.", None),
        ("I went by Care.", dialogues.ANOTHER),
        ("To be honest, I do not know.", dialogues.NO_ARTICLE),
        ("I am careful about Dishonesty.", dialogues.NO_ARTICLE),
    ],
)
def test_an_explanation_names_the_article_by_its_title(text: str, fault: str | None) -> None:
    assert names_fault(text, HONESTY, ARTICLES) == fault
    assert names_fault("I went by Care (2).", CARE, ARTICLES) is names_fault("by care", CARE, ARTICLES) is None


def test_the_words_of_a_longer_title_name_no_shorter_one() -> None:
    users, second = written("users", "Honesty with users"), written("honesty-2", "Honesty (2)")
    every = (HONESTY, users, second)
    assert names_fault("I went by Honesty with users.", HONESTY, every) == dialogues.ANOTHER
    assert names_fault("I went by Honesty with users.", users, every) is None
    assert names_fault("Honesty with users, and honesty.", HONESTY, every) is None
    assert names_fault("I went by Honesty (2).", HONESTY, every) == dialogues.ANOTHER
    assert names_fault("I went by honesty.", second, every) is None, "which part it does not say"


def talks(answer: str = "GOOD", plain: str = "Plain.", why: str = "Honesty asks for it.") -> Any:
    def write(request: SampleRequest) -> str:
        if dialogues.WHY in request.prompt:
            return why
        return answer if "You follow a constitution." in request.prompt else plain

    return write


def likes(word: str) -> Any:
    def score(request: ScoreRequest) -> tuple[float, float]:
        first = f"(A) {word}" in request.prompt
        return (math.log(0.9), math.log(0.1)) if first else (math.log(0.1), math.log(0.9))

    return score


def test_an_answer_that_the_judge_prefers_is_kept_with_why_it_was_given() -> None:
    model = Fake(writes=talks(), scores=likes("GOOD"))
    found = explain(PROMPTS, BY_ID, sampler(model, SAMPLING, "dialogues"), judge(model), shown=2)
    one = found.records[0]
    assert (one.id, one.principle_id, one.shown) == ("s0.dialogues", "honesty", ("honesty", "care-2"))
    assert (one.answer, one.plain, one.explanation) == ("GOOD", "Plain.", "Honesty asks for it.")
    assert one.p_preferred == pytest.approx(0.9)
    texts = [request.prompt for request in model.write_requests]
    answered = next(text for text in texts if "You follow" in text and dialogues.WHY not in text)
    why = next(text for text in texts if dialogues.WHY in text)
    assert "Honesty\nBe Honesty.\n\nCare (2)\nBe Care (2)." in answered and "GOOD" in why
    assert sum("You follow" in text for text in texts) == 2 * len(PROMPTS) and len(texts) == 3 * len(PROMPTS)
    prompts = explanation_prompts(found.records, {prompt.id: prompt for prompt in PROMPTS})
    assert [turn.text for turn in prompts[0].turns] == ["Ask 0?", "GOOD", dialogues.WHY]
    made = dialogue_demonstrations(found.records[:1])
    assert [(row.prompt_id, row.answer, row.source) for row in made] == [
        ("s0", "GOOD", "dialogue"),
        ("s0.dialogues.why", "Honesty asks for it.", "explanation"),
    ]
    assert prompts[0].id == made[1].prompt_id


@pytest.mark.parametrize(
    ("writes", "word", "reason"),
    [
        (talks(why="Care did."), "GOOD", dialogues.ANOTHER),
        (talks(why="I felt so."), "GOOD", dialogues.NO_ARTICLE),
        (talks(why=""), "GOOD", dialogues.CUT_OFF),
        (talks(plain="GOOD"), "GOOD", "identical"),
        (talks(plain="GOOD", why="Care did."), "GOOD", "identical"),
        (talks(), "Plain.", dialogues.NO_BETTER),
    ],
)
def test_what_fails_a_check_is_dropped_by_reason(writes: Any, word: str, reason: str) -> None:
    model = Fake(writes=writes, scores=likes(word))
    found = explain(PROMPTS[:1], BY_ID, sampler(model, SAMPLING, "dialogues"), judge(model), shown=1)
    assert (found.records, dict(found.dropped)) == ((), {reason: 1})
    assert not found.texts and not found.noted, "nothing learns from it, and no run ends for it"
    if word == "GOOD":
        assert not model.score_requests, "the judge is asked last"


def test_an_unreadable_verdict_keeps_nothing() -> None:
    model = Fake(writes=talks(), scores=lambda request: (math.nan, math.nan))
    found = explain(PROMPTS[:1], BY_ID, sampler(model, SAMPLING, "dialogues"), judge(model), shown=1)
    assert (found.records, dict(found.dropped)) == ((), {"unscored: no probabilities": 1})
    assert dialogue_verdicts(2, {**found.dropped, dialogues.NO_BETTER: 1, "identical": 5}) == [
        *(None, None, None),
        "no probabilities",
    ]


def test_fewer_articles_are_in_view_where_the_context_has_no_room() -> None:
    big = CARE.model_copy(update={"text": "Care. " * 400})
    model = Fake(writes=talks(), scores=likes("GOOD"), context=1500)
    both = {"honesty": HONESTY, "care-2": big}
    found = explain(PROMPTS[:1], both, sampler(model, SAMPLING, "dialogues"), judge(model), shown=2)
    assert [one.shown for one in found.records] == [("honesty",)]
    assert found.noted[f"{dialogues.OTHERS} left out"] == 1


def test_answer_and_explanation_have_the_same_articles_in_view() -> None:
    """The answer has room for both, the question after it has not."""
    model = Fake(writes=talks(), scores=likes("GOOD"))
    explain(PROMPTS[:1], BY_ID, sampler(model, SAMPLING, "dialogues"), judge(model), shown=2)
    sizes = [len(one.prompt) for one in model.write_requests if "You follow" in one.prompt]
    narrow = Fake(writes=talks(), scores=likes("GOOD"), context=sizes[1] - 1 + SAMPLING.max_new_tokens)
    found = explain(PROMPTS[:1], BY_ID, sampler(narrow, SAMPLING, "dialogues"), judge(narrow), shown=2)
    assert sizes[0] < sizes[1] and [one.shown for one in found.records] == [("honesty",)]
    assert found.noted[f"{dialogues.OTHERS} left out"] == 1


# Rankings.


def test_standing_is_the_mean_of_what_was_read() -> None:
    def label(a: str, b: str, p: float | None) -> Comparison:
        return Comparison(
            id=a + b,
            prompt_id="p",
            a=a,
            b=b,
            p_a_preferred=p,
            unscored="lost" if p is None else None,
            rater="model",
            objective="harmlessness",
        )

    labels = [label("a", "b", 0.8), label("a", "c", 0.6), label("b", "c", None)]
    assert standing("abc", labels) == pytest.approx((0.7, 0.2, 0.4))
    assert standing("abc", labels[:1])[2] is None


def test_answers_are_ranked_by_the_article_and_by_the_whole() -> None:
    texts = iter(["GOOD", "bad", "GOOD", "worse"])
    model = Fake(writes=lambda request: next(texts), scores=likes("GOOD"))
    principles = {one.id: one.principle for one in ARTICLES}
    found = rank(PROMPTS[:1], sampler(model, SAMPLING, "rankings"), judge(model, "rankings"), principles, answers=4)
    (row,) = found.records
    assert row.answers == ("GOOD", "bad", "worse"), "equal answers count once"
    assert row.best == "GOOD" and row.by_article[0] == pytest.approx(0.9) == row.by_document[0]
    assert {one.principle_id for one in row.article_comparisons} == {"honesty"}
    assert len(row.comparisons) == len(row.article_comparisons) == 3
    assert len({one.id for one in (*row.comparisons, *row.article_comparisons)}) == 6
    same = Fake(writes=lambda request: "GOOD")
    found = rank(PROMPTS[:1], sampler(same, SAMPLING, "rankings"), judge(same, "rankings"), principles, answers=4)
    assert dict(found.dropped) == {"identical": 1}
