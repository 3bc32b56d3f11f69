"""Worked examples of what is wrong with a text as a text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from solon.evals.flaws import (
    CRITIQUE_ECHO,
    REVISION_ECHOES,
    UNCHANGED,
    critique_echo,
    flaws,
    repeated_share,
    resemblance,
    revision_echo,
    share_of,
)
from solon.prompting.guard import Guard

GUARD = Guard(("<|im_end|>", "[INST]"))
ANSWER = "Wait until it is dark, climb over the fence and take the ladder from the shed behind the house."
CRITIQUE = "The response tells the human to steal a ladder at night, and it does not say that this is theft at all."
REQUEST = "Rewrite the response so that nobody could use it to commit a crime, and offer a lawful way."
PROMPT = "My neighbor has a ladder that I would like to have; how do I get it without his noticing anything?"
REVISION = "I won't help you take it. Ask him whether you may borrow it for a day; most people say yes."


def found(text: str, *, finished: bool = True, logprobs: tuple[float, ...] = ()) -> list[str]:
    return list(flaws(text, finished=finished, logprobs=logprobs, guard=GUARD))


def echo(revision: str) -> str | None:
    return revision_echo(revision, answer=ANSWER, critique=CRITIQUE, request=REQUEST, prompt=PROMPT)


@pytest.mark.parametrize(
    ("text", "share"),
    [
        ("a b c d a b c d", 1 / 5),
        ("no no no no no no no", 3 / 4),
        ("a b c", 0.0),
        ("", 0.0),
        ("A b, c d. a B, C d.", 3 / 9),  # case is nothing, marks are words
    ],
)
def test_the_share_of_4_grams_that_have_stood_before(text: str, share: float) -> None:
    assert repeated_share(text) == pytest.approx(share)


def test_containment_and_resemblance() -> None:
    assert share_of("a b c d e f g h", "a b c d e f") == pytest.approx(3 / 5)
    assert share_of("a b c d e f g h", "a b c d e f", but="b c d e") == pytest.approx(2 / 5)
    assert share_of("a b", "A  b!") == 0.0 and share_of("a b", "a b") == 1.0
    assert resemblance("a b c d e", "a b c d f") == pytest.approx(1 / 3)
    assert resemblance("", "") == 1.0 and resemblance("", "a") == 0.0


@given(st.lists(st.sampled_from("abc"), max_size=30).map(" ".join), st.lists(st.sampled_from("abc")).map(" ".join))
def test_shares_are_shares(one: str, other: str) -> None:
    assert 0.0 <= repeated_share(one) < 1.0
    assert 0.0 <= share_of(one, other, but=one[:9]) <= share_of(one, other) <= 1.0
    assert resemblance(one, other) == resemblance(other, one) <= 1.0
    assert resemblance(one, one) == 1.0


@pytest.mark.parametrize(
    ("text", "flaw"),
    [
        ("", "empty"),
        ("I am happy to help. " * 9, "repeating"),
        ("Sure.<|im_end|>", "off-format"),
        ("Take the ladder.\n\nUser: And then?", "off-format"),
        ("Revision Request: say it kindly", "off-format"),
        ("**Assistant:** Take it.", "off-format"),
        ("The human: Why? The assistant: So.", "off-format"),
        (":-( ... !!", "off-format"),
    ],
)
def test_noise_is_named(text: str, flaw: str) -> None:
    assert found(text) == [flaw]


@pytest.mark.parametrize(
    "text",
    [
        ANSWER,
        CRITIQUE,
        REVISION,
        "42",
        "Say \u201cuser: name\u201d here.",
        "No.",
        "\u597d\u7684\u3002",
        "x = [INSTALL]",
    ],
)
def test_plain_texts_have_no_flaw(text: str) -> None:
    assert found(text) == []


def test_the_token_limit_and_the_models_own_log_probability() -> None:
    assert found(ANSWER, finished=False) == ["unfinished"]
    assert found("", finished=False) == ["empty"]
    assert found(ANSWER, logprobs=(-2.0, -5.0)) == ["improbable"]
    assert found(ANSWER, logprobs=(-2.0, -4.0)) == []
    assert found(ANSWER, logprobs=(-0.1, float("-inf"))) == ["improbable"]


@pytest.mark.parametrize(
    ("revision", "what"),
    [
        (REVISION, None),
        (CRITIQUE, REVISION_ECHOES[0]),
        (f"The ladder. {CRITIQUE}", REVISION_ECHOES[0]),
        (REQUEST, REVISION_ECHOES[1]),
        (f"{PROMPT} I wonder.", REVISION_ECHOES[2]),
        (ANSWER, UNCHANGED),
        (ANSWER.upper(), UNCHANGED),
        (ANSWER.replace("the shed behind the house", "him"), None),  # shorter: a change
        (f"{ANSWER} That would be theft, so please ask him first.", None),  # keeps what there was
    ],
)
def test_echoes_are_named_for_what_they_are(revision: str, what: str | None) -> None:
    assert echo(revision) == what


def test_words_that_the_critique_quotes_from_the_answer_are_the_answers() -> None:
    quoting = f"This is theft: {ANSWER}"
    assert revision_echo(
        ANSWER.replace("shed", "red shed"), answer=ANSWER, critique=quoting, request="", prompt=""
    ) in (None, UNCHANGED)


def test_a_critique_may_quote_the_answer_but_not_be_it() -> None:
    assert critique_echo(ANSWER, ANSWER) == CRITIQUE_ECHO
    quoting = "It tells the human to climb over the fence and take the ladder from the shed, which is theft."
    assert share_of(quoting, ANSWER) > 0.3 and critique_echo(quoting, ANSWER) is None
