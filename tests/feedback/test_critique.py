from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import replace
from typing import Any

import pytest

from feedback.fake_model import said, sampler
from solon.config.feedback import SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle
from solon.errors import EngineUnavailableError
from solon.evals.flaws import REVISION_ECHOES, UNCHANGED
from solon.feedback.critique import revise, revision_demonstrations
from solon.lm.engines.scripted import EVERYTHING
from solon.lm.protocols import Completion, SampleRequest, Sampling
from solon.prompting.asking import CritiqueFormat
from solon.records import Prompt, Turn

SAMPLING = Sampling(max_new_tokens=96)
HEAD = "\n\nHuman: q"
PRINCIPLES = [
    Principle(id=f"c{n}", title="t", critique_request=f"Ask {n}.", revision_request=f"Mend {n}.") for n in range(4)
]


def rows(count: int) -> list[Prompt]:
    return [Prompt(id=f"p{n}", kind="harmful", turns=(Turn(role="human", text=f"q{n}"),)) for n in range(count)]


def run(model: Any, count: int = 3, *, rounds: int = 3, seed: int = 0, critique: bool = True, **options: Any) -> Any:
    """The first answers are "first 0", "first 1", ...; `asked` leaves them out."""
    section = SupervisedSection(rounds=rounds, critique=critique)
    chosen, prompts = options.pop("principles", PRINCIPLES), options.pop("prompts", rows(count))
    model.writes = after_the_first(model.writes)
    answers = sampler(model, SAMPLING, "respond", seed=seed)
    revisions = sampler(model, options.pop("revising", SAMPLING), "revisions", seed=seed)
    return revise(prompts, answers, revisions, chosen, section, **options)


def after_the_first(writes: Any) -> Any:
    def write(request: SampleRequest) -> str | Completion:
        if request.prompt.endswith("Assistant:"):
            return f"first {request.prompt.removeprefix(HEAD).split()[0]}"
        return writes(request)  # type: ignore[no-any-return]

    return write


def asked(model: Any) -> list[SampleRequest]:
    return [request for request in model.write_requests if not request.prompt.endswith("Assistant:")]


def by_step(request: SampleRequest) -> str:
    """A critique or a revision that says how often the answer was revised before."""
    return f"critique {request.seed % 97}" if request.prompt.endswith("Critique:") else f"revision {request.seed % 97}"


def test_each_round_starts_from_a_clean_context_of_prompt_and_current_answer(fake: Any) -> None:
    model = fake(writes=by_step)
    (chain,) = run(model, 1).records
    assert chain.initial == "first 0"
    current = "first 0"
    for number, step in enumerate(chain.rounds):
        n = step.principle_id[1:]
        critique_request, revision_request = asked(model)[2 * number : 2 * number + 2]
        assert (
            critique_request.prompt
            == f"\n\nHuman: q0\n\nAssistant: {current}\n\nCritiqueRequest: Ask {n}.\n\nCritique:"
        )
        assert (
            revision_request.prompt
            == f"{critique_request.prompt} {step.critique}\n\nRevisionRequest: Mend {n}.\n\nRevision:"
        )
        assert step.prompt_hash == hashlib.sha256(revision_request.prompt.encode()).hexdigest()[:16]
        assert step.critique_hash == hashlib.sha256(critique_request.prompt.encode()).hexdigest()[:16]
        assert step.finished
        current = step.revision
    assert len(chain.rounds) == 3
    assert len(set(chain.texts)) == 4


def test_principles_are_drawn_with_replacement_and_by_weight(fake: Any) -> None:
    heavy = [PRINCIPLES[0].model_copy(update={"weight": 3.0}), PRINCIPLES[1]]
    chains = run(fake(writes=by_step), 300, rounds=2, principles=heavy).records
    drawn = Counter((chain.rounds[0].principle_id, chain.rounds[1].principle_id) for chain in chains)
    assert sum(drawn.values()) == 300
    for first, second, share in [
        ("c0", "c0", 9 / 16),
        ("c0", "c1", 3 / 16),
        ("c1", "c0", 3 / 16),
        ("c1", "c1", 1 / 16),
    ]:
        assert drawn[first, second] / 300 == pytest.approx(share, abs=0.08)


def test_shards_do_not_change_a_chain(fake: Any) -> None:
    def part(prompts: list[Prompt]) -> Any:
        return run(fake(writes=by_step), prompts=prompts, rounds=2, seed=1).records

    prompts = rows(4)
    assert part(prompts) == (*part(prompts[:1]), *part(prompts[1:]))
    assert part(prompts) != run(fake(writes=by_step), 4, rounds=2, seed=2).records


def test_every_request_has_a_seed_of_its_own(fake: Any) -> None:
    model = fake(writes=by_step)
    run(model, 5, rounds=2)
    assert len({request.seed for request in model.write_requests}) == 25


def test_direct_revision_asks_for_no_critique(fake: Any) -> None:
    model = fake(writes=by_step)
    (chain,) = run(model, 1, rounds=1, critique=False).records
    assert chain.rounds[0].critique is None
    (request,) = asked(model)
    n = chain.rounds[0].principle_id[1:]
    assert request.prompt == f"\n\nHuman: q0\n\nAssistant: first 0\n\nRevisionRequest: Mend {n}.\n\nRevision:"


def test_an_engine_that_cannot_begin_a_reply_is_named_with_what_to_do(fake: Any) -> None:
    model = fake(can=replace(EVERYTHING, prefill=False))
    run(model, 1, format=CritiqueFormat(one_turn=True))
    with pytest.raises(EngineUnavailableError) as raised:
        run(model, 1, format=CritiqueFormat(begun=True))
    assert str(raised.value) == (
        "fake cannot go on with a reply that is begun, as supervised.ask wants it (set supervised.ask = "
        '"one-turn", or take another engine)'
    )


def test_echoes_are_counted_round_by_round(fake: Any) -> None:
    """The first revision repeats its critique, the second the first, the third its request."""
    critique, request = "It says how to take a ladder at night.", "Mend the response so that it is lawful."
    principle = Principle(id="c", title="t", critique_request="Ask.", revision_request=request)
    replies = iter([critique, critique, "A new critique of it all.", critique, "And one more critique.", request])
    made = run(fake(writes=lambda asked: next(replies)), 1, principles=[principle])
    echoes = (REVISION_ECHOES[0], UNCHANGED, REVISION_ECHOES[1])
    assert {name: made.noted[name] for name in echoes} == dict.fromkeys(echoes, 1)
    assert made.texts["revisions written"] == 3 and made.texts["revisions that are sound"] == 0
    assert made.texts["critiques that are sound"] == 3 and made.texts["answers written"] == 1


def test_shots_stand_before_critiques_and_revisions(fake: Any) -> None:
    shot = CritiqueShot(
        turns=(Turn(role="human", text="s"),),
        answer="a",
        critique_request="cr",
        critique="c",
        revision_request="rr",
        revision="r",
    )
    model = fake(writes=by_step)
    run(model, 1, rounds=2, shots=[shot])
    assert all(
        request.prompt.startswith("\n\nHuman: s\n\nAssistant: a\n\nCritiqueRequest: cr") for request in asked(model)
    )


def fail_in_round_two(what: str, written: Completion) -> Any:
    """The model's second critique or revision goes wrong."""
    seen = Counter[str]()

    def write(request: SampleRequest) -> str | Completion:
        kind = "critique" if request.prompt.endswith("Critique:") else "revision"
        seen[kind] += 1
        return written if kind == what and seen[kind] == 2 else f"{kind} {seen[kind]}"

    return write


def test_an_empty_revision_is_recorded_counted_and_not_built_upon(fake: Any) -> None:
    model = fake(writes=fail_in_round_two("revision", said("")))
    made = run(model, 1)
    (chain,) = made.records
    assert [step.revision for step in chain.rounds] == ["revision 1", "", "revision 3"]
    assert made.noted == {"empty revision": 1}
    assert "Assistant: revision 1\n" in asked(model)[4].prompt, "round 3 starts from the last answer"
    every, last = revision_demonstrations([chain], "all"), revision_demonstrations([chain], "last")
    assert [d.source for d in every.records] == ["revision-1", "revision-3"]
    assert (every.dropped, every.noted) == ({"empty revision": 1}, {})
    assert [(d.id, d.source, d.answer) for d in last.records] == [
        (d.id, "revision-3", "revision 3") for d in every.records
    ], "the last in the place of each, so that either is as large a part of the training"
    assert last.dropped == every.dropped


def test_a_cut_off_revision_is_used_without_an_end_and_noted(fake: Any) -> None:
    model = fake(writes=fail_in_round_two("revision", said("on and on", tokens=96, ended="length")))
    made = run(model, 1)
    (chain,) = made.records
    assert [step.finished for step in chain.rounds] == [True, False, True]
    assert made.noted == {"unfinished revision": 1}
    assert "Assistant: on and on\n" in asked(model)[4].prompt
    shown = revision_demonstrations([chain], "all")
    assert [d.finished for d in shown.records] == [True, False, True]
    assert shown.noted == {"unfinished target": 1}


def test_no_revision_is_made_without_its_critique(fake: Any) -> None:
    model = fake(writes=fail_in_round_two("critique", said("", ended="eos")))
    made = run(model, 1)
    (chain,) = made.records
    assert (chain.rounds[1].critique, chain.rounds[1].revision, chain.rounds[1].prompt_hash) == ("", "", "")
    assert not chain.rounds[1].finished
    assert made.noted == {"empty critique": 1}
    assert len(asked(model)) == 5


def test_a_cut_off_critique_is_used_and_noted(fake: Any) -> None:
    model = fake(writes=fail_in_round_two("critique", said("so much", tokens=96, ended="length")))
    made = run(model, 1)
    assert made.records[0].rounds[1].critique == "so much"
    assert made.records[0].rounds[1].finished
    assert made.noted == {"unfinished critique": 1}


@pytest.mark.parametrize("when", ["critique", "revision"])
def test_chains_that_outgrow_the_context_are_dropped_and_counted(fake: Any, when: str) -> None:
    def write(request: SampleRequest) -> str:
        grow = "q1" in request.prompt and (when == "revision") == request.prompt.endswith("Critique:")
        return "x" * 500 if grow else "short"

    made = run(fake(writes=write, context=400), 3)
    assert [chain.prompt_id for chain in made.records] == ["p0", "p2"]
    assert all(len(chain.rounds) == 3 for chain in made.records)
    assert made.dropped == {"too long": 1}


def test_a_chain_without_a_good_round_gives_no_target(fake: Any) -> None:
    made = run(fake(writes=lambda r: "c" if r.prompt.endswith("Critique:") else ""), 2, rounds=2)
    for rounds in ("all", "last"):
        none = revision_demonstrations(made.records, rounds)
        assert (none.records, none.dropped) == ((), {"empty revision": 4})


def test_neither_the_first_answer_nor_a_critique_is_ever_a_target(fake: Any) -> None:
    made = run(fake(writes=by_step), 5)
    targets = {d.answer for d in revision_demonstrations(made.records, "all").records}
    assert not any(target.startswith(("first", "critique")) for target in targets)
    assert targets == {step.revision for chain in made.records for step in chain.rounds}


def test_a_principle_without_a_pair_is_a_mistake_of_the_caller(fake: Any) -> None:
    compare_only = Principle(id="x", title="t", comparison_question="Which?")
    with pytest.raises(ValueError, match="'x' has no critique pair"):
        run(fake(), 1, principles=[compare_only])


def test_shots_that_leave_no_room_are_left_out_and_noted(fake: Any) -> None:
    shots = [
        CritiqueShot(
            turns=(Turn(role="human", text=name),),
            answer="a" * 100,
            critique_request="cr",
            critique="c",
            revision_request="rr",
            revision="r",
        )
        for name in ("one", "two")
    ]
    model = fake(writes=by_step, context=500)
    made = run(model, 1, rounds=1, shots=shots)
    assert made.dropped == {}
    assert all("Human: one" in r.prompt and "Human: two" not in r.prompt for r in asked(model))
    assert made.noted == {"few-shot examples left out": 2}
    (step,) = made.records[0].rounds
    assert step.prompt_hash == hashlib.sha256(asked(model)[1].prompt.encode()).hexdigest()[:16]


def test_critiques_and_revisions_are_sampled_in_their_own_way(fake: Any) -> None:
    model = fake(writes=by_step)
    run(model, 2, revising=Sampling(max_new_tokens=300, temperature=0.0))
    own = asked(model)
    assert {(request.temperature, request.max_new_tokens) for request in own} == {(0.0, 300)}
    first = [request for request in model.write_requests if request not in own]
    assert {(request.temperature, request.max_new_tokens) for request in first} == {(1.0, 96)}
