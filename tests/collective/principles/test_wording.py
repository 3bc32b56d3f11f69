"""Texts from statements: the linter finds nothing, and no two are nearly the same."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from collective.principles.test_saying import NASTY
from solon.collective.principles.saying import read_saying
from solon.collective.principles.wording import MAX_QUOTED_WORDS, TEXT_KEYS, Worded, Wordings, quoted, word_all
from solon.constitution.lint import Finding, remarks
from solon.constitution.principles import Constitution, Principle
from solon.constitution.sourced import Sourced

SHORT = ["kind", "fair", "calm", "brief", "open", "firm", "warm", "safe", "wise", "polite", "patient", "humble"]


def linted(worded: list[Worded]) -> list[Finding]:
    principles = tuple(
        Principle.model_validate({"id": f"p{at}", "title": one.title, **one.texts}) for at, one in enumerate(worded)
    )
    whole = Constitution(name="w", title="w", principles=principles)
    return list(remarks(Sourced(constitution=whole, path=Path("w"), lines={})))


def test_the_plain_case_word_for_word() -> None:
    worded = Wordings().word(read_saying("ai shouldn't lie to people about the weather"))
    clause = "The AI should not lie to people about the weather"
    assert worded.texts == {
        "comparison_question": f"{clause}. Which response fits that better?",
        "critique_request": f"{clause}. Point out anything in the assistant's last response that goes against this.",
        "revision_request": f"{clause}. Rewrite the assistant's last response so that it keeps to this.",
    }
    assert worded.title == clause
    assert worded.remarks == ()


def test_what_is_quoted_is_marked_for_a_person() -> None:
    worded = Wordings().word(read_saying("Kindness before cleverness, always"))
    assert worded.texts["comparison_question"] == (
        "A statement from public input: “Kindness before cleverness, always.” Which response fits that better?"
    )
    assert worded.remarks == ("does not say what an AI should or should not do",)


def test_many_short_statements_pass_the_linter() -> None:
    texts = [f"AI should be {word}" for word in SHORT]
    texts += [f"The AI must never be {word}" for word in SHORT]
    texts += [f"AI should be {one} and {other}" for one, other in pairwise(SHORT)]
    texts += [f"AI should respect {word}s" for word in SHORT] + ["AI should be helpful"]
    worded, tie_break = word_all([read_saying(text) for text in texts])
    assert not tie_break
    assert linted(worded) == []
    for key in TEXT_KEYS:
        assert len({one.texts[key] for one in worded}) == len(texts)


def test_a_constitution_without_a_word_for_being_helpful_gets_a_tie_break() -> None:
    worded, tie_break = word_all([read_saying(text) for text in ("AI must not lie", "AI must not steal bicycles")])
    assert tie_break
    assert all("useful" in one.texts["comparison_question"] for one in worded)
    assert linted(worded) == []


@pytest.mark.parametrize("text", NASTY)
def test_nasty_statements_make_texts_the_linter_passes_or_are_refused(text: str) -> None:
    worded, _ = word_all([read_saying(text), read_saying("AI should be helpful")])
    usable = [one for one in worded if one.texts]
    assert linted(usable) == []
    assert all(one.texts or one.refused for one in worded)


def test_a_question_that_would_ask_for_the_worse_is_left_out_with_the_reason() -> None:
    worded = Wordings().word(read_saying("The AI should say which answers are worse than none"))
    assert "comparison_question" not in worded.texts
    assert "critique_request" in worded.texts
    assert worded.remarks[-1].startswith("serves no comparison: seems to ask for the worse")


@pytest.mark.parametrize("text", ["!!!", "", " \n ", "12 + 12", "\x00"])
def test_what_has_no_words_is_refused(text: str) -> None:
    worded = Wordings().word(read_saying(text))
    assert worded.texts == {}
    assert worded.refused == "has no words"


def test_what_is_too_long_is_refused_with_its_length() -> None:
    worded = Wordings().word(read_saying("The AI should say " + "very " * MAX_QUOTED_WORDS + "little"))
    assert worded.refused is not None
    assert worded.refused.startswith(f"has {MAX_QUOTED_WORDS + 5} words, more than the {MAX_QUOTED_WORDS}")


def test_the_longest_that_is_allowed_passes_the_linter() -> None:
    text = "Roses and lilies, " + " ".join(f"plant{number}" for number in range(MAX_QUOTED_WORDS - 3))
    worded, _ = word_all([read_saying(text) for _ in range(3)])
    assert not [finding for finding in linted(worded) if finding.rule == "too-long"]


def test_quotation_marks_inside_a_quotation() -> None:
    assert quoted('Say "no" at times!') == "“Say ‘no’ at times!”"
    assert quoted("Be kind") == "“Be kind.”"
