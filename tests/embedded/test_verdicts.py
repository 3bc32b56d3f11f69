"""What a model made of a question is counted as it should be, and questions are what they say."""

from __future__ import annotations

import io
import math
import re

import pytest

from solon.embedded.skills import settings
from solon.embedded.verdicts import NONE, SHOTS, WorldVerdict, _few_shot, _scenes, measure_verdicts
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import Capabilities, SampleRequest, ScoreRequest
from solon.progress import QuietReporter
from solon.prompting.comparison import OPTIONS
from solon.world.lexicon import lexicon
from solon.world.oracle import Terms, judge
from solon.world.raters import better_under, terms_of

ITEMS = 12


def asked(model: ScriptedModel, seed: int = 2) -> list[WorldVerdict]:
    return measure_verdicts(model, seed=seed, items=ITEMS, reporter=QuietReporter(io.StringIO()))


def share(rows: list[WorldVerdict], task: str, way: str) -> float:
    own = [row.correct for row in rows if (row.task, row.way) == (task, way) and row.correct is not None]
    assert len(own) == ITEMS
    return sum(own) / ITEMS


def quoted(request: ScoreRequest) -> str:
    """The answer that a question is about: the last that it quotes."""
    return request.prompt.rsplit(' "', 1)[1].rsplit('" Is that', 1)[0]


def knows(request: ScoreRequest) -> list[float]:
    """Likes the better of two answers; of single answers it knows which harm is in them."""
    if tuple(request.options) == OPTIONS:
        first = better_under((), *compared(request.prompt)) == "a"
        return [math.log(0.8), math.log(0.2)] if first else [math.log(0.2), math.log(0.8)]
    harms = judge((), quoted(request)).harms
    told = {f" {lexicon().fault_nouns[name][0]}." for name in harms} or {f" {NONE}."}
    return [math.log(0.7) if option in told else math.log(0.01) for option in request.options]


def compared(prompt: str) -> tuple[str, str, Terms]:
    """The two answers that a judge is asked about, and what its principle names."""
    found = re.search(r"([^\n]+)\n+Options:\n \(A\) (.+?)\n \(B\) (.+?)\n", prompt, re.DOTALL)
    assert found is not None, prompt
    return found[2], found[3], terms_of(found[1])


def critic(request: SampleRequest) -> str:
    """Finds theft in every answer."""
    return f"The response tells the human to do it, which is {lexicon().harms['theft'].nouns[0]}."


@pytest.fixture(scope="module")
def rows() -> list[WorldVerdict]:
    return asked(ScriptedModel(critic, knows))


def test_a_model_that_knows_harm_is_right_and_as_sure_as_it_says(rows: list[WorldVerdict]) -> None:
    for task in ("harm", "kind"):
        for way in ("at once", "few-shot"):
            assert share(rows, task, way) == 1.0
    kind = next(row for row in rows if (row.task, row.way) == ("kind", "at once"))
    assert kind.p_right == pytest.approx(0.7 / (0.7 + 7 * 0.01))
    harmful, harmless = (row for row in rows if row.id in ("harm-0000", "harm-0001") and row.way == "at once")
    assert harmful.p_right == pytest.approx(0.77 / 0.78)
    assert harmless.p_right == pytest.approx(0.7 / 0.78)


def test_a_critic_that_always_finds_theft_is_right_where_there_is_harm(rows: list[WorldVerdict]) -> None:
    assert share(rows, "harm", "reasoned") == 0.5
    assert share(rows, "kind", "reasoned") < 0.5


def test_a_judge_that_knows_which_answer_is_better_is_right(rows: list[WorldVerdict]) -> None:
    for task in ("pairs", "hard-pairs"):
        assert share(rows, task, "at once") == 1.0
        own = [row for row in rows if (row.task, row.way) == (task, "at once")]
        assert [row.p_right for row in own] == pytest.approx([0.8] * ITEMS)


def test_a_judge_that_likes_a_place_is_right_as_often_as_the_better_answer_stands_there() -> None:
    rows = asked(ScriptedModel(critic, lambda request: [0.0, *(-9.0 for _ in request.options[1:])]))
    assert 0.0 < share(rows, "pairs", "at once") < 1.0


def test_worked_examples_are_left_out_where_the_context_has_no_room() -> None:
    roomy, narrow = ScriptedModel(critic, knows), ScriptedModel(critic, knows, can=capabilities(100))
    questions = _scenes("harm", settings()["situations"], 2, ITEMS)
    for model in (roomy, narrow):
        assert len(_few_shot(model, questions, 2)) == ITEMS
    shown = [[text.prompt.count("Is that") for text in model.scored] for model in (roomy, narrow)]
    assert set(shown[0]) == {SHOTS + 1}
    assert 1 <= min(shown[1]) <= max(shown[1]) < SHOTS + 1


def capabilities(context: int) -> Capabilities:
    return Capabilities(logprobs="full", prefill=True, seed=True, context=context)


def test_questions_are_the_same_for_the_same_seed() -> None:
    one, two, other = (ScriptedModel(critic, knows) for _ in range(3))
    asked(one), asked(two), asked(other, seed=3)
    texts = [[request.prompt for request in model.scored] for model in (one, two, other)]
    assert texts[0] == texts[1] != texts[2]


def test_no_two_questions_share_worked_examples_not_even_those_of_two_seeds() -> None:
    shown = []
    for seed in (0, 1):
        model = ScriptedModel(critic, knows)
        _few_shot(model, _scenes("harm", settings()["situations"], seed, ITEMS), seed)
        shown += [text.prompt.rsplit("\n", 1)[0] for text in model.scored]
    assert len(set(shown)) == len(shown) == 2 * ITEMS
