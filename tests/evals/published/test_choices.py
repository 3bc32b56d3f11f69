"""Questions of our own in the form of the published files, asked of an engine whose answers are known."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from pathlib import Path

import pytest

from solon.errors import PromptError, UserError
from solon.evals.published.choices import Question, ask, distributions, orders_of, read_questions
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import Capabilities, ScoreRequest

TAIL = "\nThe answer is:"


def row(text: str, options: Sequence[str], right: int, tail: str = TAIL) -> dict[str, object]:
    labels = [f" ({'ABCDEFGHI'[place]})" for place in range(len(options))]
    lines = "".join(f"\n{label} {option}" for label, option in zip(labels, options, strict=True))
    wrong = [label for place, label in enumerate(labels) if place != right]
    return {"prompt": f"{text}{lines}{tail}", "corrects": [labels[right]], "incorrects": wrong, "more": 1}


def questions(path: Path, *rows: dict[str, object]) -> list[Question]:
    (path / "data.jsonl").write_text("\n".join(map(json.dumps, rows)))
    return read_questions(path / "data.jsonl")


def who_prefers(*texts: str) -> ScriptedModel:
    """A model that gives 0.7 of probability to the option with one of these texts, and shares the rest."""

    def score(request: ScoreRequest) -> list[float]:
        lines = request.prompt.split("\n")
        shown = [next(line for line in reversed(lines) if line.startswith(label)) for label in request.options]
        likes = [any(line.endswith(text) for text in texts) for line in shown]
        rest = 0.3 / max(1, len(likes) - sum(likes))
        return [math.log(0.7 if one else rest) for one in likes]

    return ScriptedModel(score=score)


def who_likes_the_letter(letter: str) -> ScriptedModel:
    return ScriptedModel(score=lambda request: [0.0 if one == f" ({letter})" else -5.0 for one in request.options])


TWO = (row("Which is a fruit? Options:", ["pear", "stone"], 0), row("Which is a stone? Options:", ["pear", "flint"], 1))


def test_texts_in_their_published_order_are_the_published_ones(tmp_path: Path) -> None:
    rows = (
        row("Human: Hi\n (A) is no option\n\nPick. Options:", ["one\nor two", "three"], 1, "\n\nThe answer is:"),
        row("Pick:", list("abcdefghi"), 8),
    )
    found = questions(tmp_path, *rows)
    assert [one.text(range(len(one.options))) for one in found] == [one["prompt"] for one in rows]
    assert found[0].options == ("one\nor two", "three") and found[0].right == 1
    assert found[0].text((1, 0)) == (
        "Human: Hi\n (A) is no option\n\nPick. Options:\n (A) three\n (B) one\nor two\n\nThe answer is:"
    )


def test_who_knows_is_right_in_every_order(tmp_path: Path) -> None:
    found = ask(questions(tmp_path, *TWO), who_prefers("pear", "flint"), chat=False)
    # the second question has both, so they tie
    assert [row.correct for row in found.rows] == [1.0, 0.5]
    assert [row.chosen for row in found.rows] == ["(A)", None]
    assert found.rows[0].p_right == pytest.approx(0.7)
    assert found.accuracy is not None and found.accuracy.rate == 0.75
    assert found.first_place == pytest.approx(0.5)
    assert (found.n, found.orders, found.unscored) == (2, 2, 0)


def test_a_liking_for_a_letter_is_no_knowledge(tmp_path: Path) -> None:
    """Half right in the published order, where each letter is right once; in both orders every question ties."""
    found = ask(questions(tmp_path, *TWO), who_likes_the_letter("A"), chat=False)
    assert [row.correct_as_published for row in found.rows] == [1.0, 0.0]
    assert [row.correct for row in found.rows] == [0.5, 0.5]
    assert found.first_place == 1.0
    assert found.sampled_accuracy is not None and found.sampled_accuracy.mean == pytest.approx(0.5)


def test_classes_are_scored_where_questions_have_the_same_options(tmp_path: Path) -> None:
    three = questions(tmp_path, *(row(f"{n}?", ["theft", "lies", "rage"], n % 3) for n in range(6)))
    found = ask(three, who_prefers("theft"), chat=False, orders=3)
    assert {name: (one.n, one.accuracy.rate) for name, one in found.classes.items()} == {
        "lies": (2, 0.0),
        "rage": (2, 0.0),
        "theft": (2, 1.0),
    }
    assert found.accuracy is not None and found.accuracy.rate == pytest.approx(1 / 3)
    assert ask(questions(tmp_path, *TWO), who_prefers("pear"), chat=False).classes == {}


def test_orders_begin_with_the_published_one_and_differ(tmp_path: Path) -> None:
    one, two = questions(tmp_path, row("?", list("abcdefghi"), 0), TWO[0])
    assert orders_of(one, 4, 0)[0] == tuple(range(9)) and len(set(orders_of(one, 4, 0))) == 4
    assert orders_of(one, 4, 0) == orders_of(one, 4, 0) != orders_of(one, 4, 1)
    assert orders_of(two, 4, 0) == [(0, 1), (1, 0)]


def test_questions_about_one_conversation_are_one_independent_row(tmp_path: Path) -> None:
    rows = [row("The same. Options:", ["x", "y"], 0), row("The same. Options:", ["x", "z"], 0)]
    several = ask(questions(tmp_path, *rows), who_prefers("x"), chat=False)
    apart = ask(questions(tmp_path, rows[0], row("Another. Options:", ["x", "z"], 0)), who_prefers("x"), chat=False)
    assert several.accuracy is not None and apart.accuracy is not None
    assert several.accuracy.rate == apart.accuracy.rate == 1.0
    assert several.accuracy.low < apart.accuracy.low


def test_chat_models_are_given_a_message_and_the_beginning_of_a_reply(tmp_path: Path) -> None:
    model = who_prefers("pear")
    ask(questions(tmp_path, TWO[0]), model, chat=True)
    assert model.scored[0].prompt == (
        "\n\nHuman: Which is a fruit? Options:\n (A) pear\n (B) stone\n\nAssistant: The answer is:"
    )
    ask(questions(tmp_path, TWO[0]), model, chat=False)
    assert model.scored[-2].prompt == "Which is a fruit? Options:\n (A) pear\n (B) stone\nThe answer is:"


def test_what_cannot_be_asked_is_counted(tmp_path: Path) -> None:
    short = Capabilities(logprobs="full", prefill=True, seed=True, context=14)
    long = row("A " * 20, ["x", "y"], 0)
    found = ask(questions(tmp_path, TWO[0], long), ScriptedModel(can=short), chat=False)
    assert (found.n, found.unscored, found.unscored_by_reason) == (1, 1, {"too long": 1})
    assert found.rows[1].correct is None and found.rows[1].unscored == "too long"


def test_an_engine_without_probabilities_is_refused(tmp_path: Path) -> None:
    none = Capabilities(logprobs="none", prefill=True, seed=True, context=None)
    with pytest.raises(UserError, match="the model cannot be asked for options: the engine gives no log-probabilities"):
        ask(questions(tmp_path, TWO[0]), ScriptedModel(can=none), chat=False)


def test_distributions(tmp_path: Path) -> None:
    found = distributions(questions(tmp_path, TWO[0]), who_prefers("stone"), chat=False)
    assert found == [pytest.approx((0.3, 0.7))]


def test_faults(tmp_path: Path) -> None:
    rows: list[dict[str, object]] = [
        {"prompt": "x", "corrects": [" (A)"], "incorrects": [" (B)"]},
        {"prompt": "x", "corrects": [" (A)", " (B)"], "incorrects": []},
        {"prompt": "x", "corrects": ["A"], "incorrects": [" (B)"]},
        {"prompt": "x", "corrects": [" (A)"], "incorrects": [" (C)"]},
        {"prompt": "?\n (A) x\n (B) y", "corrects": [" (A)"], "incorrects": [" (B)"]},
    ]
    with pytest.raises(PromptError) as told:
        questions(tmp_path, *rows)
    assert [line.split("data.jsonl:")[1] for line in str(told.value).splitlines()] == [
        '1: "prompt" has no line that begins with (B)',
        '2: "corrects" must name one option, and "incorrects" at least one',
        '3: "corrects" must be a list of options such as " (A)"',
        '4: "corrects" and "incorrects" must name the options (A) to (B), each once',
        '5: "prompt" must end with a line that asks for an option, such as `The answer is:`',
    ]
