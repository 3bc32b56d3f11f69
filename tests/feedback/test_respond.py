from __future__ import annotations

from typing import Any

from feedback.fake_model import said, sampler
from solon.feedback.answers import respond
from solon.feedback.critique import helpful_demonstrations
from solon.lm.protocols import Sampling
from solon.prompting.dialogue import DELIMITERS
from solon.records import Prompt, Turn

SAMPLING = Sampling(temperature=0.7, max_new_tokens=11)


def prompts(count: int) -> list[Prompt]:
    return [Prompt(id=f"p{n}", kind="benign", turns=(Turn(role="human", text=f"q{n}"),)) for n in range(count)]


def answer(fake: Any, rows: list[Prompt], **options: Any) -> Any:
    return respond(rows, sampler(fake, SAMPLING, "helpful", seed=5), **options)


def test_what_the_model_is_asked(fake: Any) -> None:
    model = fake()
    made = answer(model, prompts(2))
    assert [a.prompt_id for a in made.records] == ["p0", "p1"]
    request = model.write_requests[1]
    assert request.prompt == "\n\nHuman: q1\n\nAssistant:"
    assert (request.temperature, request.max_new_tokens, request.stop) == (0.7, 11, DELIMITERS)
    assert made.tokens == 2


def test_copies_differ_by_seed_and_have_their_own_ids(fake: Any) -> None:
    model = fake()
    made = answer(model, prompts(3), copies=2)
    assert [a.id for a in made.records[:3]] == ["p0.helpful-0", "p0.helpful-1", "p1.helpful-0"]
    assert len({r.seed for r in model.write_requests}) == 6


def test_shards_do_not_change_what_is_drawn(fake: Any) -> None:
    rows = prompts(5)
    whole = answer(fake(), rows).records
    parts = (*answer(fake(), rows[3:]).records, *answer(fake(), rows[:3]).records)
    assert set(whole) == set(parts)
    other = respond(rows, sampler(fake(), SAMPLING, "helpful", seed=6)).records
    assert whole != other


def test_long_prompts_are_dropped_and_counted(fake: Any) -> None:
    long = Prompt(id="long", kind="benign", turns=(Turn(role="human", text="x" * 100),))
    made = answer(fake(context=50), [prompts(1)[0], long], copies=2)
    assert [a.prompt_id for a in made.records] == ["p0", "p0"]
    assert made.dropped == {"too long": 2}


def test_empty_and_cut_off_answers_are_kept_and_noted(fake: Any) -> None:
    texts = {
        "q0": said("", ended="eos"),
        "q1": said("and", tokens=11, ended="length"),
        "q2": "fine",
    }
    made = answer(fake(writes=lambda r: texts[r.prompt[9:11]]), prompts(3))
    assert [(a.text, a.finished) for a in made.records] == [("", True), ("and", False), ("fine", True)]
    assert made.noted == {"empty answer": 1, "unfinished answer": 1}
    shown = helpful_demonstrations(made.records)
    assert [(d.answer, d.finished) for d in shown.records] == [("and", False), ("fine", True)]
    assert (shown.dropped, shown.noted) == ({"empty answer": 1}, {"unfinished target": 1})


def test_nothing_in_nothing_out(fake: Any) -> None:
    assert answer(fake(), []).records == ()
