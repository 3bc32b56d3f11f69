from __future__ import annotations

from typing import Any

import pytest

from feedback.fake_model import Fake, said, sampler
from solon.config.feedback import QualitySection
from solon.errors import NoiseError
from solon.evals.quality import require_quality, text_quality
from solon.feedback.answers import answer_pairs, twin_pairs
from solon.lm.protocols import Sampling
from solon.records import Prompt, PromptKind, Turn

SAMPLING = Sampling(temperature=0.9, max_new_tokens=96)


def prompt(name: str, kind: PromptKind = "harmful") -> Prompt:
    return Prompt(id=name, kind=kind, turns=(Turn(role="human", text=name),))


PROMPTS = [prompt("p0"), prompt("p1"), prompt("p2")]


def pairs(model: Any, **options: Any) -> Any:
    return answer_pairs(PROMPTS, sampler(model, SAMPLING, "pairs"), **options)


def test_the_two_answers_differ_by_their_seed_alone(fake: Any) -> None:
    model = fake()
    made = pairs(model, per_prompt=2)
    assert [p.id for p in made.records[:3]] == ["p0.pairs-0", "p0.pairs-1", "p1.pairs-0"]
    for a, b in zip(model.write_requests[::2], model.write_requests[1::2], strict=True):
        assert (a.prompt, a.temperature, a.max_new_tokens, a.stop) == (
            b.prompt,
            b.temperature,
            b.max_new_tokens,
            b.stop,
        )
        assert a.temperature == 0.9
    assert len({r.seed for r in model.write_requests}) == 12
    assert made.tokens == 12


def test_a_prompt_may_have_its_own_number_of_pairs(fake: Any) -> None:
    made = pairs(fake(), per_prompt={"p0": 1, "p1": 0, "p2": 2})
    assert [one.id for one in made.records] == ["p0.pairs-0", "p2.pairs-0", "p2.pairs-1"]


def test_identical_answers_are_dropped_and_counted(fake: Any) -> None:
    made = pairs(fake(writes=lambda r: "same" if "p1" in r.prompt else f"text {r.seed}"))
    assert [p.prompt_id for p in made.records] == ["p0", "p2"]
    assert made.dropped == {"identical": 1}


def test_a_model_that_always_writes_the_same_noise_is_found_out() -> None:
    made = pairs(Fake(writes=lambda r: "no " * 20 if "p0" not in r.prompt else f"text {r.seed}"))
    assert made.dropped == {"identical": 2}
    (texts,) = text_quality("pairs", made.noted + made.texts)
    assert (texts.written, texts.noise, texts.flaws["repeating"]) == (6, 4, 4)
    with pytest.raises(NoiseError, match=r"stage pairs: 4 of 6 answers are noise, mostly repeating"):
        require_quality([texts], QualitySection())


def test_long_prompts_are_dropped_and_counted(fake: Any) -> None:
    assert pairs(fake(context=3)).dropped == {"too long": 3}


def test_cut_off_answers_are_kept_and_noted(fake: Any) -> None:
    made = pairs(fake(writes=lambda r: said(str(r.seed), tokens=9, ended="length")))
    assert made.noted == {"unfinished answer": 6}
    assert len(made.records) == 3


def test_the_twin_is_answered_in_the_place_of_a_refusal(fake: Any) -> None:
    benign = [prompt("b0", "benign"), prompt("b1", "benign")]
    model = fake(writes=lambda r: f"answer to {r.prompt.split()[1]}")
    made = twin_pairs(benign, {"b0": prompt("h0")}, sampler(model, SAMPLING, "twins"), per_prompt=2)
    assert [(p.prompt_id, p.a, p.b) for p in made.records] == [("b0", "answer to b0", "answer to h0")] * 2
    assert {p.source for p in made.records} == {"needless-refusal"}
    assert made.dropped == {"no harmful twin": 2}
    assert len({p.id for p in made.records}) == 2


def test_a_pair_needs_both_answers(fake: Any) -> None:
    benign = [prompt("b0", "benign"), prompt("b1", "benign")]
    twins = {"b0": prompt("h" * 99), "b1": prompt("h1")}
    made = twin_pairs(benign, twins, sampler(fake(context=150), SAMPLING, "twins"))
    assert [p.prompt_id for p in made.records] == ["b1"]
    assert made.dropped == {"too long": 1}
