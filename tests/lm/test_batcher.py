"""Which requests are computed together: a function of the rows, whatever the clock says."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from typing import Any, cast

import pytest

from feedback.fake_model import sampler
from solon.config.feedback import JudgeSection, SupervisedSection
from solon.constitution.principles import Principle
from solon.errors import TooLongError
from solon.feedback.answers import answer_pairs
from solon.feedback.critique import revise
from solon.feedback.judge import Judge
from solon.lm.batcher import QUIET, Batcher, run, shared_loop, together
from solon.lm.engines.local import LocalModel
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.jobs import Job, Reply, Score
from solon.lm.protocols import Completion, Sampling
from solon.lm.scheduler import Scheduler
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Pair, Prompt, Turn

SAMPLING = Sampling(max_new_tokens=4)
PROMPTS = [Prompt(id=f"p{n}", kind="harmful", turns=(Turn(role="human", text=f"q{n}"),)) for n in range(5)]
PRINCIPLES = [
    Principle(id="x", title="t", critique_request="C?", revision_request="R.", comparison_question="Which is kinder?")
]


class Steps:
    """In the place of a scheduler: answers all that it was given at once, and remembers what that was."""

    def __init__(self, answer: Callable[[Job], Any]):
        self._answer = answer
        self.waiting: list[Job] = []
        self.steps: list[list[Job]] = []

    def __bool__(self) -> bool:
        return bool(self.waiting)

    def add(self, jobs: Sequence[Job]) -> None:
        self.waiting += sorted(jobs, key=lambda job: job.place)

    def drop(self, job: Job) -> None: ...

    def step(self) -> list[Job]:
        ended, self.waiting = self.waiting, []
        self.steps.append(ended)
        for job in ended:
            job.result = self._answer(job)
        return ended


class Loops(LocalModel):
    """Remembers steps in the place of computing them. Characters are tokens."""

    max_context = 300

    def __init__(self, empty: str = "-"):
        self._format, self._batcher, self._progress = HumanAssistant(), Batcher(), None
        self.can = EVERYTHING
        self.empty = empty
        self.scheduler = Steps(self.answer)

    def _encode(self, text: str, *, after: str = "") -> list[int]:
        return list(map(ord, text))

    @contextmanager
    def _working(self) -> Iterator[Any]:
        yield self.scheduler

    def answer(self, job: Job) -> Any:
        if isinstance(job, Score):
            return [-1.0] * len(job.finals)
        assert isinstance(job, Reply)
        empty = job.request.prompt.endswith("Critique:") and self.empty in job.request.prompt
        text = "" if empty else f"{job.request.seed}"
        return Completion(prompt=job.request.prompt, text=text, tokens=1, ended="eos")

    @property
    def batches(self) -> list[tuple[str, list[str]]]:
        """The kinds of each step, and its rows."""
        return [
            ("+".join(sorted({_kind(job) for job in step})), [_row(_text(job)) for job in step])
            for step in self.scheduler.steps
        ]


def _text(job: Job) -> str:
    return "".join(map(chr, job.ids))


def _kind(job: Job) -> str:
    return "score" if isinstance(job, Score) else _text(job).rpartition("\n\n")[2]


def _row(prompt: str) -> str:
    return prompt.partition("Human: q")[2][:1]


ALL = ["0", "1", "2", "3", "4"]


def test_the_rows_of_a_shard_go_side_by_side() -> None:
    loops = Loops()
    asked = sampler(loops, SAMPLING, "revisions")
    revise(PROMPTS, asked, asked, PRINCIPLES, SupervisedSection(rounds=2))
    step = [("Critique:", ALL), ("Revision:", ALL)]
    assert loops.batches == [("Assistant:", ALL), *step, *step]


def test_a_row_that_is_ahead_goes_on() -> None:
    """A chain whose critique is empty asks for its next critique while the others ask for revisions."""
    loops = Loops("q2")
    asked = sampler(loops, SAMPLING, "revisions")
    revise(PROMPTS, asked, asked, PRINCIPLES, SupervisedSection(rounds=2))
    others = ["0", "1", "3", "4"]
    later = [("Critique:+Revision:", ALL), ("Critique:", others), ("Revision:", others)]
    assert loops.batches == [("Assistant:", ALL), ("Critique:", ALL), *later]


def test_both_answers_of_a_pair_lie_side_by_side_in_one_batch() -> None:
    loops = Loops()
    answer_pairs(PROMPTS, sampler(loops, SAMPLING, "pairs"), per_prompt=2)
    assert loops.batches == [("Assistant:", [row for row in ALL for _ in range(4)])]


def test_a_row_of_which_one_part_does_not_fit_computes_nothing() -> None:
    loops = Loops()
    long = PROMPTS[2].model_copy(update={"turns": (Turn(role="human", text="q2" * 200),)})
    made = answer_pairs([*PROMPTS[:2], long, *PROMPTS[3:]], sampler(loops, SAMPLING, "pairs"))
    assert loops.batches == [("Assistant:", [row for row in ALL if row != "2" for _ in range(2)])]
    assert made.dropped == {"too long": 1}


def test_a_judge_reasons_for_all_then_scores_all() -> None:
    loops = Loops()
    pairs = [Pair(id=prompt.id, prompt_id=prompt.id, a="x", b="y") for prompt in PROMPTS]
    section = JudgeSection(orders="both")
    format, asked = comparison_format(HumanAssistant()), sampler(loops, SAMPLING, "comparisons")
    judge = Judge(sampler=asked, format=format, principles=PRINCIPLES, section=section)
    judge.compare(pairs, {prompt.id: prompt for prompt in PROMPTS})
    both = [row for row in ALL for _ in range(2)]
    assert loops.batches == [("score", both), ("score", both)]  # up to the token that tells (A) from (B), and behind it


def test_a_fault_of_the_whole_engine_ends_every_row_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Loops):
        def answer(self, job: Job) -> Any:
            raise MemoryError("no room for the cache")

    with pytest.raises(MemoryError):
        answer_pairs(PROMPTS, sampler(Broken(), SAMPLING, "pairs"))
    gc.collect()
    assert caplog.records == []


@pytest.mark.parametrize("loop", [nullcontext, shared_loop])
def test_an_interrupt_ends_the_loop_at_once_and_is_told_once(
    loop: Callable[[], Any], caplog: pytest.LogCaptureFixture
) -> None:
    class Interrupted(Loops):
        def answer(self, job: Job) -> Any:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), loop():
        answer_pairs(PROMPTS, sampler(Interrupted(), SAMPLING, "pairs"))
    gc.collect()
    assert caplog.records == []


@pytest.mark.parametrize(
    ("depth", "passes", "split"), [(0, 1, False), (1, 2, False), (1, 1, True), (1, QUIET, False), (2, QUIET, True)]
)
def test_how_long_rows_may_take_to_ask_again(
    depth: int, passes: int, split: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Every other row has parts side by side, or parts of parts."""
    monkeypatch.setattr("solon.lm.batcher.QUIET", passes)
    batcher, steps = Batcher(), Steps(lambda job: job.ids[0])

    async def ask(number: int) -> int:
        job = Job(ids=[number], last=1, most=1)
        return int(await batcher.ask(job, lambda: nullcontext(cast("Scheduler", steps))))

    async def row(number: int, depth: int) -> int:
        return sum(await together([row(number, depth - 1)])) if depth else await ask(number)

    async def twice(number: int) -> int:
        parts = depth * (number % 2)
        return await row(number, parts) + await row(number, parts)

    assert asyncio.run(together(map(twice, range(4)))) == [0, 2, 4, 6]
    batches = [[job.ids[0] for job in step] for step in steps.steps]
    assert batches == ([[0, 1, 2, 3], [0, 2], [1, 3]] if split else [[0, 1, 2, 3]] * 2)


def test_the_first_error_of_several_is_raised_as_it_is() -> None:
    async def fail(error: Exception) -> None:
        raise error

    for first in (TooLongError("a"), ZeroDivisionError("b")):
        with pytest.raises(type(first), match=str(first)):
            asyncio.run(together([fail(first), fail(KeyError("c"))]))


# Loops.


async def _loop() -> asyncio.AbstractEventLoop:
    return asyncio.get_running_loop()


def test_calls_in_a_block_share_a_loop_that_ends_with_it() -> None:
    with shared_loop():
        one, two = run(_loop()), run(_loop())
    assert one is two and one.is_closed()
    assert run(_loop()) is not one


def test_what_was_begun_in_a_shared_loop_is_closed_with_it() -> None:
    ended = []

    async def held() -> AsyncIterator[None]:
        try:
            yield
        finally:
            await asyncio.sleep(0)
            ended.append(True)

    keeper = held()

    async def begin() -> None:
        await anext(keeper)

    with shared_loop():
        run(begin())
        run(_loop())
        assert not ended
    assert ended


@pytest.mark.parametrize("loop", [nullcontext, shared_loop])
def test_a_scheduler_closes_with_the_call_that_opened_it(loop: Callable[[], Any]) -> None:
    """Its keys and values would lie beside those of the next shard."""
    batcher, steps, closed = Batcher(), Steps(lambda job: job.ids[0]), []

    @contextmanager
    def scheduler() -> Iterator[Any]:
        yield steps
        closed.append(True)

    with loop():
        assert run(batcher.ask(Job(ids=[7], last=1, most=1), scheduler)) == 7
        assert closed == [True]


def test_where_a_loop_runs_already_every_call_has_its_own() -> None:
    async def cell() -> None:
        with shared_loop():
            assert run(_loop()) is not asyncio.get_running_loop()

    asyncio.run(cell())
