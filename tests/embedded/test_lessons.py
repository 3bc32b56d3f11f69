"""Lessons: right by construction, with enough of what is hard, and without anything that is held out."""

from __future__ import annotations

from collections import Counter
from functools import cache

import pytest

from solon.constitution.controls import INVERTED
from solon.embedded.answers import as_text
from solon.embedded.lessons import (
    ComparisonLesson,
    CritiqueLesson,
    Mixture,
    Scene,
    comparison_lesson,
    critique_lesson,
    critique_text,
    demonstration_setting,
    draw_scene,
    fault_list,
    plain_dialogue,
    revise,
    sentence_fault,
)
from solon.embedded.wordings import draw_wording, turned_round
from solon.records import Turn
from solon.seeds import generator
from solon.world.lexicon import HELD_OUT_HARM, HELD_OUT_TEMPLATES, lexicon
from solon.world.oracle import judge, names, targeted
from solon.world.prompts import read_request
from solon.world.sentences import Sentence, Situation, read_sentence

COUNT = 800
SETTING = demonstration_setting()


@cache
def critiques(count: int = COUNT) -> list[CritiqueLesson]:
    return [critique_lesson(generator(11, "critique", number), SETTING) for number in range(count)]


@cache
def comparisons(count: int = COUNT) -> list[ComparisonLesson]:
    return [comparison_lesson(generator(11, "comparison", number), SETTING) for number in range(count)]


def sentences(*texts: str) -> tuple[Sentence, ...]:
    return tuple(read_sentence(text) for text in texts)


PROMPT = "The baker left the coat at the bank. How can I steal the coat from the baker?"
THEFT = "Take the coat home and keep it."
VIOLENCE = "You could punch the baker in the face."
RUDE, SERMON, EVASION = (
    "Nobody likes people such as you.",
    "Virtue is its own reward, and you should seek it every day.",
    "No comment.",
)
CLOSING, OPENER = "Good luck with it.", "Sure."
OBJECTION = "I will not help with theft, because the baker would suffer."


def scene(*answer: str, prompt: str = PROMPT) -> Scene:
    turns = (Turn(role="human", text=prompt),)
    return Scene(turns=turns, request=read_request(turns), answer=sentences(*answer))


# Worked examples


@pytest.mark.parametrize(
    ("answer", "terms", "critique"),
    [
        ((THEFT,), ("theft",), "It tells the human to take the coat home and keep it, which is theft."),
        ((THEFT,), ("harm",), "It tells the human to take the coat home and keep it, which is theft."),
        ((THEFT,), ("violence", "rude"), "The response has no such problem."),
        ((THEFT, THEFT), ("theft",), "It tells the human to take the coat home and keep it, which is theft."),
        (
            (RUDE, THEFT, VIOLENCE),
            ("harm", "rude"),
            "It is rude to the human. It tells the human to take the coat home and keep it, which is theft. "
            "It tells the human to punch the baker in the face, which is violence.",
        ),
        ((SERMON, EVASION), ("evasive", "preachy"), "It preaches to the human. It dodges the question."),
        ((OPENER, OBJECTION), ("harm", "theft"), "The response has no such problem."),
    ],
)
def test_critiques(answer: tuple[str, ...], terms: tuple[str, ...], critique: str) -> None:
    assert critique_text(scene(*answer), terms) == critique


@pytest.mark.parametrize(
    ("answer", "terms", "kept"),
    [
        ((RUDE, THEFT, CLOSING), ("rude",), (THEFT, CLOSING)),
        ((THEFT, SERMON), ("violence", "unrelated"), (THEFT, SERMON)),
        ((OPENER, OBJECTION, THEFT), ("theft",), (OPENER, OBJECTION)),
        ((EVASION, THEFT), ("evasive",), (THEFT,)),
    ],
)
def test_revisions_that_only_delete(answer: tuple[str, ...], terms: tuple[str, ...], kept: tuple[str, ...]) -> None:
    assert tuple(s.text for s in revise(generator(0), scene(*answer), terms)) == kept


def test_where_harm_was_removed_an_objection_and_an_alternative_stand() -> None:
    revised = revise(generator(0), scene(OPENER, VIOLENCE, RUDE, SERMON), ("harm",))
    assert [s.meaning.kind for s in revised] == ["opener", "rude", "objection", "alternative", "preachy"]
    assert revised[2].meaning.category == "violence", "the harm that was there, not the one asked for"


def test_where_an_evasion_was_removed_the_owed_answer_stands() -> None:
    revised = revise(generator(0), scene(EVASION), ("evasive",))
    assert [s.meaning.kind for s in revised] == ["objection", "alternative"]
    benign = revise(generator(0), scene(EVASION, CLOSING, prompt="How can I skip stones?"), ("evasive",))
    assert [(s.meaning.kind, s.meaning.task) for s in benign] == [
        ("tip", "skip stones"),
        ("tip", "skip stones"),
        ("closing", None),
    ]


def test_a_reasoning_judge_lists_faults_in_order() -> None:
    assert fault_list(sentences(RUDE, THEFT, VIOLENCE), ("harm", "rude")) == "rudeness and theft and violence"
    assert fault_list(sentences(RUDE), ("harm",)) == "no such fault"


def test_what_a_principle_is_about() -> None:
    assert names(("harm",), "theft") and names(("theft", "rude"), "rude")
    assert not names(("harm",), "rude") and not names(("theft",), "fraud") and not names(("harm",), None)


# Laws


def test_a_revision_is_what_the_oracle_calls_rid_of_the_principle_s_faults_and_nothing_else_is_lost() -> None:
    for lesson in critiques():
        before, after = lesson.scene.answer, lesson.revision
        judgement = judge(lesson.scene.turns, as_text(after))
        assert targeted(judgement.faults(), tuple(t for t in lesson.wording.terms if t != "evasive")) == 0
        assert not any(names(lesson.wording.terms, sentence_fault(sentence)) for sentence in after)
        kept = Counter(s.text for s in before if not names(lesson.wording.terms, sentence_fault(s)))
        assert not kept - Counter(s.text for s in after)
        assert judgement.on_topic or not judge(lesson.scene.turns, as_text(before)).on_topic
        assert not judgement.malformed or not after


def test_a_critique_finds_nothing_exactly_when_nothing_is_there_to_find() -> None:
    for lesson in critiques():
        there = any(names(lesson.wording.terms, sentence_fault(sentence)) for sentence in lesson.scene.answer)
        assert (lesson.critique == lexicon().critique["none"]) != there


def test_the_better_answer_is_the_oracle_s() -> None:
    for lesson in comparisons():
        one, two = (judge(lesson.turns, as_text(answer)).faults() for answer in (lesson.first, lesson.second))
        for wording, first_is_better in lesson.questions:
            difference = targeted(one, wording.terms) - targeted(two, wording.terms)
            assert first_is_better == (None if difference == 0 else difference < 0)


def test_the_opposite_of_a_principle_prefers_the_other_answer() -> None:
    mixture = Mixture(turned_share=1.0)
    lessons = [comparison_lesson(generator(11, "opposite", number), SETTING, mixture) for number in range(COUNT)]
    assert sum(better is None for lesson in lessons for _, better in lesson.questions) < COUNT
    for lesson in lessons:
        one, two = (judge(lesson.turns, as_text(answer)).faults() for answer in (lesson.first, lesson.second))
        for wording, first_is_better in lesson.questions:
            difference = targeted(one, wording.terms) - targeted(two, wording.terms)
            assert first_is_better == (None if difference == 0 else difference > 0)


def test_where_nothing_is_asked_neither_answer_is_better() -> None:
    mixture = Mixture(turned_share=0.5, blank_share=0.5)
    lessons = [comparison_lesson(generator(11, "blank", number), SETTING, mixture) for number in range(200)]
    blank = [(w, better) for lesson in lessons for w, better in lesson.questions if not w.terms]
    assert all(better is None for _, better in blank)
    assert 0.4 < len(blank) / sum(len(lesson.questions) for lesson in lessons) < 0.6


@pytest.mark.parametrize("held_out", [False, True])
def test_a_comparison_is_turned_round_by_words_around_it(held_out: bool) -> None:
    wording = draw_wording(generator(1), ("theft",), held_out=held_out)
    turned = {turned_round(generator(seed), wording, held_out=held_out).comparison for seed in range(300)}
    frames = {text.replace(wording.comparison, "{question}") for text in turned}
    assert frames <= {INVERTED, *lexicon().judging["against"]} and (INVERTED in frames) != held_out
    assert len(frames) == (HELD_OUT_TEMPLATES if held_out else len(lexicon().judging["against"]) - 1)


def test_the_same_seed_gives_the_same_lesson() -> None:
    assert critiques()[:20] == critiques(20)
    assert comparisons()[:20] == comparisons(20)
    assert len({lesson.critique + as_text(lesson.revision) for lesson in critiques()[:50]}) > 40


# Statistics: what the feasibility study lacked


def test_a_quarter_of_critiques_are_hard_negatives() -> None:
    """Faults are there, and none of them is the principle's."""
    lessons = critiques()
    faulty = [[f for f in map(sentence_fault, lesson.scene.answer) if f] for lesson in lessons]
    hard = [
        bool(faults) and not any(names(lesson.wording.terms, fault) for fault in faults)
        for lesson, faults in zip(lessons, faulty, strict=True)
    ]
    hit = [any(names(lesson.wording.terms, f) for f in faults) for lesson, faults in zip(lessons, faulty, strict=True)]
    assert 0.25 <= sum(hard) / COUNT <= 0.5
    assert 0.3 <= sum(hit) / COUNT <= 0.7


def test_ties_are_common_and_the_rest_is_balanced() -> None:
    verdicts = Counter(better for lesson in comparisons() for _, better in lesson.questions)
    total = sum(verdicts.values())
    assert 0.15 <= verdicts[None] / total <= 0.35
    assert 0.45 <= verdicts[True] / (verdicts[True] + verdicts[False]) <= 0.55
    assert 1.3 * COUNT < total < 2.2 * COUNT


def test_plain_dialogues_are_helpful_only() -> None:
    """The assistant before Constitutional AI does the harm it is asked for."""
    scenes = [plain_dialogue(generator(2, number)) for number in range(COUNT)]
    asked = [s for s in scenes if s.request.kind == "harmful"]
    harmful = sum(judge(s.turns, as_text(s.answer)).harmful for s in asked) / len(asked)
    benign = [s for s in scenes if s.request.kind == "benign"]
    helpful = sum(judge(s.turns, as_text(s.answer)).helpful for s in benign) / len(benign)
    assert 0.7 < harmful < 0.9 and 0.88 < helpful < 0.99
    assert not any(judge(s.turns, as_text(s.answer)).harmful for s in benign)


# What is held out


def test_demonstrations_use_demonstrated_people_things_places_tasks_and_acts_alone() -> None:
    lex = lexicon()
    acts = {act for harm in lex.harms.values() for act in harm.demonstrated_acts()}
    shown = [(lesson.scene.request, (*lesson.scene.answer, *lesson.revision)) for lesson in critiques()]
    shown += [(read_request(lesson.turns), (*lesson.first, *lesson.second)) for lesson in comparisons()]
    for request, answer in shown:
        if isinstance(request.situation, Situation):
            for slot in ("person", "object", "place"):
                assert getattr(request.situation, slot) in lex.entities(slot, "demonstration")
        assert request.task is None or request.task in lex.task_names("demonstration")
        assert request.category != HELD_OUT_HARM
        for sentence in answer:
            assert all(name in lex.entities(slot, "demonstration") for slot, name in sentence.entities)
            assert sentence.meaning.category != HELD_OUT_HARM
            assert sentence.meaning.kind != "harm" or sentence.meaning.clause in acts


def test_scenes_hold_every_demonstrated_harm() -> None:
    found = {f for n in range(COUNT) for s in draw_scene(generator(4, n), SETTING).answer if (f := sentence_fault(s))}
    assert found == {*lexicon().faults} - {HELD_OUT_HARM}
