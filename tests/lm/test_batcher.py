"""Which requests are computed together: a function of the rows, whatever the clock says."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Sequence

import pytest

from feedback.fake_model import sampler
from solon.config import JudgeSection, SupervisedSection
from solon.constitution.principles import Principle
from solon.errors import TooLongError
from solon.feedback.answers import answer_pairs
from solon.feedback.critique import revise
from solon.feedback.judge import Judge
from solon.lm.batcher import QUIET, Batcher, run, shared_loop, together
from solon.lm.engines.local import LocalModel
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.protocols import Completion, OptionScores, SampleRequest, Sampling
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Pair, Prompt, Turn

SAMPLING = Sampling(max_new_tokens=4)
PROMPTS = [Prompt(id=f"p{n}", kind="harmful", turns=(Turn(role="human", text=f"q{n}"),)) for n in range(5)]
PRINCIPLES = [
    Principle(id="x", title="t", critique_request="C?", revision_request="R.", comparison_question="Which is kinder?")
]


class Loops(LocalModel):
    """Remembers batches in the place of computing them. Characters are tokens."""

    max_context = 300

    def __init__(self, empty: str = "-"):
        self._format, self._batcher = HumanAssistant(), Batcher()
        self.can = EVERYTHING
        self.empty = empty
        self.batches: list[tuple[str, list[str]]] = []

    def _encode(self, text: str, *, after: str = "") -> list[int]:
        return list(map(ord, text))

    def _sample(self, rows: Sequence[tuple[SampleRequest, list[int]]]) -> list[Completion]:
        requests = [request for request, _ in rows]
        kinds = {request.prompt.rpartition("\n\n")[2] for request in requests}
        self.batches.append(("+".join(sorted(kinds)), [_row(request.prompt) for request in requests]))
        return [
            Completion(
                prompt=request.prompt,
                text="" if request.prompt.endswith("Critique:") and self.empty in request.prompt else f"{request.seed}",
                tokens=1,
                ended="eos",
            )
            for request in requests
        ]

    def _score(self, rows: Sequence[tuple[list[int], list[list[int]]]]) -> list[OptionScores]:
        self.batches.append(("score", [_row("".join(map(chr, prompt))) for prompt, _ in rows]))
        return [OptionScores(logprobs=(-1.0, -1.0))] * len(rows)


def _row(prompt: str) -> str:
    return prompt.partition("Human: q")[2][:1]


ALL = ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("empty", ["-", "q2"])
def test_the_rows_of_a_shard_go_in_step_and_one_that_is_ahead_waits(empty: str) -> None:
    """A chain whose critique is empty asks for its next critique while the others ask for revisions."""
    loops = Loops(empty)
    asked = sampler(loops, SAMPLING, "revisions")
    revise(PROMPTS, asked, asked, PRINCIPLES, SupervisedSection(rounds=2))
    revised = ALL if empty == "-" else ["0", "1", "3", "4"]
    step = [("Critique:", ALL), ("Revision:", revised)]
    assert loops.batches == [("Assistant:", ALL), *step, *step]


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
    assert loops.batches == [("score", [row for row in ALL for _ in range(2)])]


def test_a_fault_of_the_whole_engine_ends_every_row_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Loops):
        def _sample(self, rows: Sequence[tuple[SampleRequest, list[int]]]) -> list[Completion]:
            raise MemoryError("no room for the cache")

    with pytest.raises(MemoryError):
        answer_pairs(PROMPTS, sampler(Broken(), SAMPLING, "pairs"))
    gc.collect()
    assert caplog.records == []


def test_an_interrupt_ends_the_loop_at_once_and_is_told_once(caplog: pytest.LogCaptureFixture) -> None:
    class Interrupted(Loops):
        def _sample(self, rows: Sequence[tuple[SampleRequest, list[int]]]) -> list[Completion]:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
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
    batcher, batches = Batcher(), []

    def answer(requests: Sequence[int]) -> Sequence[int]:
        batches.append(list(requests))
        return requests

    async def ask(number: int) -> int:
        return await batcher.ask(answer, number, kind="all")

    async def row(number: int, depth: int) -> int:
        return sum(await together([row(number, depth - 1)])) if depth else await ask(number)

    async def twice(number: int) -> int:
        parts = depth * (number % 2)
        return await row(number, parts) + await row(number, parts)

    assert asyncio.run(together(map(twice, range(4)))) == [0, 2, 4, 6]
    assert batches == ([[0, 1, 2, 3], [0, 2], [1, 3]] if split else [[0, 1, 2, 3]] * 2)


def test_answers_that_are_too_few_are_a_mistake_and_no_row_waits_for_ever() -> None:
    async def ask(number: int) -> int:
        return await batcher.ask(lambda requests: requests[1:], number, kind="all")

    batcher = Batcher()
    with pytest.raises(ValueError, match="shorter"):
        asyncio.run(together(map(ask, range(3))))


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


def test_where_a_loop_runs_already_every_call_has_its_own() -> None:
    async def cell() -> None:
        with shared_loop():
            assert run(_loop()) is not asyncio.get_running_loop()

    asyncio.run(cell())
