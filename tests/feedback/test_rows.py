"""What a row asks with, and what becomes of rows whose engine fails."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Sequence
from typing import Any, get_args

import pytest

from feedback.fake_model import Fake
from solon.config.feedback import JudgeSection, SupervisedSection
from solon.constitution.principles import Principle
from solon.errors import EngineUnavailableError, TooLongError, UnscoredError
from solon.feedback.answers import answer_pairs, respond
from solon.feedback.critique import revise
from solon.feedback.judge import Judge, check_unscored
from solon.feedback.rows import Dropped, Rows, Sampler, fitting, run_rows
from solon.lm.batcher import together
from solon.lm.engines.faulty import FaultyModel, Mishap
from solon.lm.engines.scripted import ScriptedModel, babble
from solon.lm.protocols import LanguageModel, SampleRequest, Sampling
from solon.prompting.comparison import comparison_format
from solon.prompting.context import Context
from solon.prompting.dialogue import HumanAssistant
from solon.records import Pair, Prompt, Turn

PROMPTS = [Prompt(id=f"p{n}", kind="harmful", turns=(Turn(role="human", text=f"q{n}"),)) for n in range(60)]
PRINCIPLES = [
    Principle(id="x", title="t", critique_request="C?", revision_request="R.", comparison_question="Which is kinder?")
]
PAIRS = [Pair(id=f"{prompt.id}.pairs-0", prompt_id=prompt.id, a="one", b="two") for prompt in PROMPTS]
ROWS = 4


def sampler(model: LanguageModel, tokens: int = 10) -> Sampler:
    return Sampler(model=model, sampling=Sampling(max_new_tokens=tokens), seed=0, stage="s")


def test_room_for_the_reply_counts_to_the_last_token() -> None:
    def reply(context: int) -> Rows[str]:
        ask = sampler(Fake(context=context), 5)

        async def row() -> str:
            return (await ask.complete(Context(prefill="x" * 10))).text

        return run_rows([row()])

    assert len(reply(15).records) == 1
    assert (reply(14).records, reply(14).dropped) == ((), {"too long": 1})


@pytest.mark.parametrize(("context", "prompt"), [(17, "abbcccx"), (16, "abbx"), (13, "ax"), (12, "ax"), (11, "x")])
def test_as_many_examples_as_there_is_room_for(context: int, prompt: str) -> None:
    ask = sampler(Fake(context=context))

    async def complete(shots: Sequence[str]) -> str:
        return (await ask.complete(Context(prefill="".join(shots) + "x"))).prompt

    made = run_rows([fitting(complete, ["a", "bb", "ccc"])])
    assert made.records == (prompt,)
    assert made.noted == ({} if len(prompt) == 7 else {"few-shot examples left out": {4: 1, 2: 2, 1: 3}[len(prompt)]})


def test_a_task_that_does_not_fit_even_alone_is_dropped_and_notes_no_examples() -> None:
    async def too_much(shots: Sequence[str]) -> str:
        raise TooLongError("11 tokens")

    assert run_rows([fitting(too_much, ["a"])]) == Rows(records=(), dropped=Counter({"too long": 1}))


def test_rows_come_back_in_order_whenever_they_end_and_alone() -> None:
    """A row that drops itself leaves the others alone; a mistake ends all."""
    ask = sampler(FaultyModel(Fake(), "late"))

    async def row(number: int) -> int:
        if number == 3:
            raise Dropped("odd one out")
        await ask.complete(Context(prefill="x"), number)
        return number

    made = run_rows(row(number) for number in range(6))
    assert (made.records, made.dropped, made.tokens) == ((0, 1, 2, 4, 5), {"odd one out": 1}, 5)

    async def wrong() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_rows([row(0), wrong(), row(1)])


def test_notes_are_of_rows_that_are_kept_and_tokens_of_all() -> None:
    ask = sampler(Fake(writes=lambda request: ""))

    async def row(number: int) -> int:
        await together(ask.complete(Context(prefill="x"), number, part, text="answer") for part in "ab")
        if number:
            raise Dropped("odd one out")
        return number

    made = run_rows(map(row, range(3)))
    assert (made.records, made.dropped) == ((0,), {"odd one out": 2})
    assert (made.noted, made.tokens) == ({"empty answer": 2}, 6)


def test_an_interrupt_in_a_row_s_first_step_is_told_alone(recwarn: pytest.WarningsRecorder) -> None:
    def interrupted(request: SampleRequest) -> str:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        answers(Fake(writes=interrupted))
    gc.collect()
    assert [str(one.message) for one in recwarn if issubclass(one.category, RuntimeWarning)] == []


def test_rows_run_where_a_loop_runs_already() -> None:
    """As in a notebook."""

    async def cell() -> Rows[Any]:
        return answers(ScriptedModel(kind))

    assert asyncio.run(cell()) == answers(ScriptedModel(kind))


# Each way of asking, with an engine that goes wrong at one request in nine.


def answers(model: LanguageModel) -> Rows[Any]:
    return respond(PROMPTS, sampler(model))


def chains(model: LanguageModel) -> Rows[Any]:
    return revise(PROMPTS, sampler(model), sampler(model), PRINCIPLES, SupervisedSection(rounds=2))


def pairs(model: LanguageModel) -> Rows[Any]:
    return answer_pairs(PROMPTS, sampler(model))


def labels(model: LanguageModel) -> Rows[Any]:
    return _compared(model, JudgeSection(orders="both"))


def thoughts(model: LanguageModel) -> Rows[Any]:
    return _compared(model, JudgeSection(method="cot", orders="random"))


def _compared(model: LanguageModel, section: JudgeSection) -> Rows[Any]:
    format = comparison_format(HumanAssistant())
    judge = Judge(sampler=sampler(model), format=format, principles=PRINCIPLES, section=section)
    return judge.compare(PAIRS, {prompt.id: prompt for prompt in PROMPTS})


WAYS = [answers, chains, pairs, labels, thoughts]


def kind(request: Any) -> str:
    return babble(request)[:20]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("mishap", [mishap for mishap in get_args(Mishap) if mishap != "down"])
def test_a_row_that_fails_fails_alone_and_is_counted(way: Any, mishap: Mishap) -> None:
    """Every other row is what it would have been, and nothing is lost without a reason."""
    whole, made = way(ScriptedModel(kind)), way(FaultyModel(ScriptedModel(kind), mishap, every=9))
    assert made == way(FaultyModel(ScriptedModel(kind), mishap, every=9)), "the same requests fail each time"
    assert len(made.records) + made.dropped.total() == len(whole.records) == len(PROMPTS)
    place = {record.id: number for number, record in enumerate(whole.records)}
    numbers = [place[record.id] for record in made.records]
    assert numbers == sorted(numbers)
    hit = [record for record in made.records if record != whole.records[place[record.id]]]
    assert len(hit) + made.dropped.total() < len(PROMPTS)
    assert mishap == "garbage" or made.noted.total() >= len(hit), "a row that differs is noted"
    if mishap == "late":
        assert made == whole


@pytest.mark.parametrize("way", [answers, chains, pairs])
def test_reasons_are_the_engine_s(way: Any) -> None:
    made = way(FaultyModel(ScriptedModel(kind), "timeout", "refusal", "garbled", every=9))
    assert made.dropped.keys() == {"timed out", "refused by the provider", "garbled reply"}


@pytest.mark.parametrize("way", [labels, thoughts])
def test_a_verdict_that_an_engine_could_not_give_is_unscored_and_too_many_stop_the_stage(way: Any) -> None:
    made = way(FaultyModel(ScriptedModel(kind), "timeout", every=3))
    lost = [row for row in made.records if row.unscored == "timed out"]
    assert len(made.records) == len(PROMPTS) and lost and all(row.raw.endswith("no reply within 60 s") for row in lost)
    assert made.noted["unscored: timed out"] == len(lost)
    with pytest.raises(UnscoredError, match=rf"{len(lost)} of 60 comparisons could not be read \(timed out: "):
        check_unscored([row.unscored for row in made.records], 0.2)


@pytest.mark.parametrize("way", WAYS)
def test_an_engine_that_is_gone_ends_the_stage_with_one_line(way: Any) -> None:
    with pytest.raises(EngineUnavailableError) as error:
        way(FaultyModel(ScriptedModel(kind), "down", every=50))
    assert str(error.value) == "the model's server does not answer (start it, then `solon resume`)"
