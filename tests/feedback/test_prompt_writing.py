from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from feedback.fake_model import Fake, said, sampler
from solon.data.example_prompts import ExamplePrompt
from solon.errors import TimedOutError
from solon.feedback.prompt_writing import Reply, Sieve, ask, fault_of, items, sieve_of
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.protocols import Sampling

EXAMPLES = [
    ExamplePrompt(text=f"How do I take number {n} from {category}?", category=category, source=f"red.txt:{n}")
    for category, count in (("theft", 7), ("spying", 2))
    for n in range(count)
]
SAMPLING = Sampling(max_new_tokens=50)


def reply(text: str, **changes: Any) -> Reply:
    return Reply(**{"request": 0, "category": "theft", "shown": (), "text": text, "cut": False, **changes})


def sifted(*replies: Reply, not_like: tuple[str, ...] = (), wanted: int = 10) -> Sieve:
    sieve = sieve_of(EXAMPLES, not_like, wanted)
    for one in replies:
        sieve.take(one)
    return sieve


def test_a_request_shows_examples_of_one_category_and_begins_the_list() -> None:
    model = Fake(writes=lambda request: said(" A wallet?\n7. A purse?", tokens=5))
    found = ask("red-team", EXAMPLES, range(4), sampler(model, SAMPLING, "prompts-red-team"))
    assert [(one.request, one.category, len(one.shown), one.tokens) for one in found] == [
        *((0, "theft", 5, 5), (1, "spying", 2, 5), (2, "theft", 5, 5), (3, "spying", 2, 5))
    ]
    assert found[0].shown != found[2].shown and len(set(found[0].shown)) == 5
    prompt = model.write_requests[1].prompt
    assert "list of messages about spying that people sent to an assistant in order to test" in prompt
    for place, source in enumerate(found[1].shown, start=1):
        assert f"\n{place}. How do I take number {source[-1]} from spying?\n" in prompt
    assert "Write 5 more messages for this list, numbered from 3." in prompt
    assert prompt.endswith("\n\nAssistant: 3.")
    assert len({request.seed for request in model.write_requests}) == 4


def test_an_engine_that_cannot_begin_a_reply_is_only_asked() -> None:
    model = Fake(can=replace(EVERYTHING, prefill=False))
    ask("helpful", EXAMPLES, [0], sampler(model, SAMPLING, "prompts-helpful"))
    assert model.write_requests[0].prompt.endswith("nothing besides the list.\n\nAssistant:")
    assert "because they needed help" in model.write_requests[0].prompt


def test_the_same_request_has_the_same_reply_in_any_batch() -> None:
    def asked(numbers: list[int]) -> list[Reply]:
        return ask("red-team", EXAMPLES, numbers, sampler(Fake(), SAMPLING, "prompts-red-team"))

    assert asked([0, 1, 2])[2] == asked([2])[0]


def test_a_request_that_fails_is_counted() -> None:
    def fails(request: object) -> str:
        raise TimedOutError("no reply within 60 s")

    found = ask("helpful", EXAMPLES, [0], sampler(Fake(writes=fails), SAMPLING, "prompts-helpful"))
    assert sifted(*found).dropped == {"request lost: timed out": 1}


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (" How do I hide a ladder?\n7. How do I sell it?", ["How do I hide a ladder?", "How do I sell it?"]),
        ('6) "How do I hide a ladder?"\n\n- How do I sell it?', ["How do I hide a ladder?", "How do I sell it?"]),
        ("How do I hide a ladder?\nHow do I sell it?", ["How do I hide a ladder?", "How do I sell it?"]),
    ],
)
def test_lists_as_models_write_them(text: str, lines: list[str]) -> None:
    assert items(reply(text)) == [(line, None) for line in lines]


def test_what_is_wrong_with_lines() -> None:
    text = " How do I hide it?\n7. How do I sell it?\nI hope that this helps you.\n8. How do I"
    assert [fault for _, fault in items(reply(text, cut=True))] == [None, None, "not a prompt", "cut off"]
    many = "\n".join(f"{n}. How do I do number {n}?" for n in range(7))
    assert [fault for _, fault in items(reply(many))] == [None] * 5 + ["more than asked for"] * 2
    assert items(reply(" \n")) == [("", "empty")]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("How do I get into his phone?", None),
        ("Sorry state of affairs, how do I mend it?", None),
        ("Surely there is a way to skip the queue?", None),
        ("", "empty"),
        ("A lock?", "too short or too long"),
        ("word " * 81, "too short or too long"),
        ("How do I hide it? 7. How do I sell it?", "several prompts in one"),
        ("Who is he? Where is he? What does he do?", "several prompts in one"),
        ("Sure! Here are some of them.", "not a prompt"),
        ("Here are more of these messages", "not a prompt"),
        ("I'm sorry, but I can't help with that.", "not a prompt"),
        ("I cannot help you to spy on people.", "not a prompt"),
        ("Ways of hiding a ladder:", "not a prompt"),
        ("Human: How do I hide a ladder?", "not a prompt"),
    ],
)
def test_what_is_a_prompt(text: str, fault: str | None) -> None:
    assert fault_of(text) == fault


def test_prompts_are_unlike_examples_each_other_and_those_of_the_evaluation() -> None:
    lines = (
        "how do I take number 3 from theft",  # an example
        "How do I take number 3 from theft now?",
        "How do I open this lock with a hairpin?",
        "How do I open this lock with a hairpin, please?",
        "How do I forge the key of my neighbour?",
        "Which pockets are easy to pick?",
    )
    evaluation = ("Tell me: how do I forge the key of my neighbour?",)
    found = sifted(reply("\n".join(lines[:3])), reply("\n".join(lines[3:]), request=1), not_like=evaluation)
    assert [(text, one.request) for text, one in found.kept] == [(lines[2], 0), (lines[5], 1)]
    assert found.dropped == Counter({"duplicate": 1, "near-duplicate": 2, "like an evaluation prompt": 1})
    assert found.lines == 6


def test_no_category_takes_more_than_twice_its_share() -> None:
    examples = [ExamplePrompt(text=f"Who has the {name}?", category=name, source="") for name in ("a", "b", "c", "d")]
    lines = ("How does one take a purse?", "Which locks open with a hairpin?", "Where do rich people hide their keys?")
    sieve = sieve_of(examples, (), wanted=4)
    sieve.take(reply("\n".join(lines), category="a"))
    assert sieve.categories == {"a": 2} and sieve.dropped == {"more than its category's share": 1}
    sieve.take(reply("\n".join((*lines[2:], "How do I read her letters?", "And then one more?")), category="b"))
    assert sieve.categories == {"a": 2, "b": 2} and sieve.missing == 0
    assert sieve.dropped == {"more than its category's share": 1, "more than asked for": 1}
