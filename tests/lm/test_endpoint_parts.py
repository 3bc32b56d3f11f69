"""The parts of the endpoint engine: turns, spending, verdicts, pauses."""

from __future__ import annotations

import asyncio
import email.utils
import math
import time
from pathlib import Path

import pytest

from lm.contract import OPTIONS
from solon.config.engines import EndpointSection
from solon.errors import EngineUnavailableError, RunError
from solon.lm.endpoint.failures import retry_after
from solon.lm.endpoint.replies import Reply, read
from solon.lm.endpoint.spending import Spending, Tokens
from solon.lm.endpoint.turns import Turns
from solon.lm.endpoint.verdicts import named, option_scores, voted

# Verdicts.


def test_a_token_speaks_for_the_option_that_it_begins() -> None:
    top = (("A", math.log(0.6)), ("A)", math.log(0.1)), ("The", math.log(0.2)))
    scores = option_scores(OPTIONS, [("A", top)], begun=" (")
    assert scores.logprobs == pytest.approx((math.log(0.7), math.log(0.1)))
    assert scores.bounded == {1}
    assert not option_scores(OPTIONS, [("A", (("A", -0.1), ("B", -9.0)))], begun=" (").bounded
    assert option_scores(OPTIONS, [("The", (("The", -0.1), ("An", -3.0)))], begun=" (").bounded == {0, 1}


def test_a_token_that_was_written_bounds_nothing() -> None:
    """vLLM lists it in the place of the last of the likeliest, however unlikely it was."""
    steps = [("zoo", (("zoo", -9.0), ("B", -0.1), ("The", -3.0), ("An", -4.0)))]
    scores = option_scores(OPTIONS, steps, begun=" (")
    assert scores.logprobs == (-4.0, -0.1) and scores.bounded == {0}


def test_a_bracket_says_nothing_and_is_gone_past() -> None:
    """(A) by itself 0.2, or ( 0.5 and then A 0.9: 0.65 in all; B 0.1 after the bracket."""
    steps = [
        ("(", (("(", math.log(0.5)), ("(A", math.log(0.2)), ("No", math.log(0.1)))),
        ("A", (("A", math.log(0.9)), ("B", math.log(0.1)))),
    ]
    scores = option_scores(OPTIONS, steps)
    assert scores.logprobs == pytest.approx((math.log(0.65), math.log(0.05)))
    assert not scores.bounded


def test_the_surest_verdict_is_one() -> None:
    """OpenAI says -9999 of what is very unlikely."""
    scores = option_scores(OPTIONS, [("A", (("A", 0.0), ("B", -9999.0)))], begun=" (")
    assert scores.logprobs == (0.0, -9999.0)
    assert not scores.bounded


def test_votes_are_shares_and_never_certain() -> None:
    scores = voted(OPTIONS, [0] * 6 + [1] + [None])
    assert [math.exp(value) for value in scores.logprobs] == pytest.approx([6.5 / 8, 1.5 / 8])
    assert scores.unread == 1 and not scores.bounded
    assert math.exp(voted(OPTIONS, [0] * 8).logprobs[0]) == pytest.approx(8.5 / 9)


@pytest.mark.parametrize(
    ("text", "place"),
    [
        (" (A)", 0),
        ("B", 1),
        ("**(B)**.", 1),
        ("(A) It is kinder.", 0),
        ("The answer is: (B)", 1),
        ("A good answer would be kinder.", None),
        ("(A) or (B), both are fine.", None),
        ("Both", None),
        ("Neither", None),
        ("Neither (A) nor (B).", None),
        ("(A) and (B) are both bad.", None),
        ("(B) is neither kind nor true.", 1),
        ("Both have their merits.", None),
        ("Neither", None),
        ("C", None),
        ("", None),
    ],
)
def test_prose_is_no_verdict(text: str, place: int | None) -> None:
    assert named(text, OPTIONS, cue="The answer is:") == place


# Replies.


def test_both_forms_of_log_probabilities_are_read() -> None:
    """llama.cpp's server gives completions the form of chat."""
    old = b'{"choices": [{"text": "A", "logprobs": {"tokens": ["A"], "top_logprobs": [{"A": -0.1, "B": -3}]}}]}'
    top = b'[{"token": "A", "logprob": -0.1}, {"token": "B", "logprob": -3}]'
    new = (
        b'{"choices": [{"text": "A", "logprobs": {"content": [{"token": "A", "logprob": -0.1, "top_logprobs": %s}]}}]}'
    )
    for found in (read(old), read(new % top)):
        assert isinstance(found, Reply)
        assert found.choice.steps == (("A", (("A", -0.1), ("B", -3.0))),)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"<html>", "no JSON"),
        (b'{"choices": [{"text": "A"', "no JSON"),
        (b'{"choices": []}', "no choices"),
        (b'{"error": "x"}', "no choices"),
        (b'{"choices": [{"text": "A", "logprobs": {"tokens": ["A"], "top_logprobs": [{"A": NaN}]}}]}', "no choices"),
        (b"[]", "no choices"),
        (b'{"choices": [{"message": {"content": null}}]}', "no text"),
    ],
)
def test_what_is_no_reply_is_none(content: bytes, said: str) -> None:
    assert read(content) == said


def test_declining_in_a_field_of_its_own_is_a_reply() -> None:
    found = read(b'{"choices": [{"message": {"content": null, "refusal": "I will not."}}]}')
    assert isinstance(found, Reply) and found.choice.said == "I will not." and found.usage is None


# Turns.


def test_fewer_while_the_server_says_they_are_too_many() -> None:
    async def scene() -> list[float]:
        turns, seen = Turns(8), []
        async with turns.one(lambda: True) as first, turns.one(lambda: True) as second:
            for act in (lambda: turns.overloaded(first), lambda: turns.overloaded(second)):
                act()
                seen.append(turns.now)
        async with turns.one(lambda: True) as third:
            turns.overloaded(third)
        for _ in range(2):
            seen.append(turns.now)
            turns.went_well()
        return [*seen, turns.now]

    assert asyncio.run(scene()) == pytest.approx([4, 4, 2, 2.5, 2.9])


def test_turns_are_waited_for_by_many() -> None:
    async def scene() -> int:
        turns, busy, most = Turns(16), 0, 0

        async def one() -> None:
            nonlocal busy, most
            async with turns.one(lambda: True):
                busy += 1
                most = max(most, busy)
                await asyncio.sleep(0)
                busy -= 1

        await asyncio.gather(*(one() for _ in range(2000)))
        return most

    begun = time.process_time()
    assert asyncio.run(scene()) == 16
    assert time.process_time() - begun < 1.0, "every release wakes every waiter"


# Spending.

PRICES = EndpointSection(max_cost=1.0, input_price=10.0, output_price=100.0)


def test_what_tokens_cost() -> None:
    assert Spending(PRICES).cost(Tokens(read=50_000, written=4_000)) == pytest.approx(0.5 + 0.4)


def test_the_most_that_requests_under_way_can_cost_is_kept_free() -> None:
    spending = Spending(EndpointSection(max_tokens=100))
    most = Tokens(read=40, written=10)
    with spending.reserved(most) as settle:
        assert spending.room(most) and not spending.room(most + Tokens(written=1))
        settle(Tokens(read=5))
    assert spending.spent == Tokens(read=5) and spending.room(most)
    with pytest.raises(EngineUnavailableError) as caught:
        spending.room(Tokens(read=96))
    what = "the next request might exceed max_tokens = 100 (5 are spent)"
    assert str(caught.value) == f"{what} (raise the limit, and give the same command again)"


def test_money_ends_as_well() -> None:
    spending = Spending(PRICES)
    with spending.reserved(Tokens(written=9_000)):
        assert not spending.room(Tokens(written=1_001))
    with pytest.raises(EngineUnavailableError, match=r"might exceed max_cost = 1 \(0.9 is spent\)"):
        spending.room(Tokens(written=1_001))


def test_the_ledger_outlives_its_process(tmp_path: Path) -> None:
    """Killed while a request is under way: what it might have cost is spent."""
    ledger = tmp_path / "spent.json"
    first = Spending(PRICES, ledger)
    with first.reserved(Tokens(read=100, written=7)) as settle:
        settle(Tokens(read=80, written=3))
    with first.reserved(Tokens(read=1000, written=500)):
        after_a_kill = Spending(PRICES, ledger)
        assert after_a_kill.spent == Tokens(read=1080, written=503)
    with first.reserved(Tokens(read=1, written=1)) as settle:
        settle(Tokens())
    assert Spending(PRICES, ledger).spent == first.spent
    ledger.write_text("{")
    with pytest.raises(RunError, match="not a ledger of tokens"):
        Spending(PRICES, ledger)


# Pauses.


def test_retry_after_is_seconds_or_a_date() -> None:
    assert retry_after("1.5") == 1.5
    assert retry_after(email.utils.formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)
    assert retry_after(email.utils.formatdate(time.time() - 60, usegmt=True)) == 0
    assert [retry_after(header) for header in (None, "", "soon", "nan")] == [None] * 4
