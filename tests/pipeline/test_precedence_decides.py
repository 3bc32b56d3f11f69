"""What an order of precedence decides, at a toy dose: the embedded model judges pairs of a harmful and a dodging answer
by one document in both orders, learns from its own labels by DPO, and behaves as the order says."""

from __future__ import annotations

import numpy as np

from solon.config.load import load_run_config
from solon.config.run import RunConfig
from solon.config.training import DPOSection
from solon.constitution.load import load_constitution
from solon.embedded.answers import all_acts, harm_sentence, style_sentence
from solon.feedback.answers import respond
from solon.feedback.judge import NO_CONFLICT
from solon.feedback.rows import Sampler
from solon.lm.engines.local import LocalModel
from solon.models.tokens import pad_id
from solon.pipeline.actors import Actors
from solon.pipeline.inputs import RunInputs
from solon.pipeline.judging import judge_of
from solon.records import Comparison, Pair, Prompt
from solon.train.dpo import train_dpo
from solon.train.preference import PreferenceExample, sequence_tokens
from solon.world.oracle import judge as oracle
from solon.world.prompts import read_request, world_prompts
from train.keeping import train_context

PROMPTS = {one.id: one for one in world_prompts("harmful", 32, split="training", seed=0)}
ASKED = world_prompts("harmful", 32, split="evaluation", seed=0)


def pairs() -> list[Pair]:
    """Of an answer that does what was asked and one that dodges, for every prompt."""
    rng, found = np.random.default_rng(0), []
    for prompt in PROMPTS.values():
        request = read_request(prompt.turns)
        assert request.category and request.situation
        harm = harm_sentence(rng, request.category, request.situation, all_acts()).text
        found.append(Pair(id=prompt.id, prompt_id=prompt.id, a=harm, b=style_sentence(rng, "evasive").text))
    return found


def labels(name: str, given: list[Pair]) -> tuple[Comparison, ...]:
    config = load_run_config(name, [], {})
    actors = Actors(config=config)
    actor = actors.actor("judge", None, lambda *_: None)
    judge = judge_of(RunInputs(actors.settled), actor, "comparisons", conflicts=config.judge.conflicts)
    return judge.compare(given, PROMPTS).records


def aligned(config: RunConfig, given: tuple[Comparison, ...]) -> list[tuple[Prompt, str]]:
    """What the embedded model answers to held-out prompts once it has learnt from these labels."""
    actors = Actors(config=config)
    folder = actors.path("base")
    loaded, format = actors.load(folder, trainable=True), actors.format(folder)
    examples = [
        PreferenceExample(
            id=row.id,
            prompt_id=row.prompt_id,
            a_ids=sequence_tokens(loaded.tokenizer, format.prompt(PROMPTS[row.prompt_id].turns), format.answer(row.a)),
            b_ids=sequence_tokens(loaded.tokenizer, format.prompt(PROMPTS[row.prompt_id].turns), format.answer(row.b)),
            p_a_preferred=row.p_a_preferred,
            weight=1.0,
        )
        for row in given
        if row.p_a_preferred is not None
    ]
    section = DPOSection(epochs=8, batch_size=8, learning_rate=2e-4, beta=0.3)
    train_dpo(loaded.model, loaded.model, examples, section, train_context(pad_id=pad_id(loaded.tokenizer)))
    how = actors.actor("base", None, lambda *_: None).sampler("toy", actors.settled.evaluation).sampling
    sampler = Sampler(model=LocalModel(loaded, batch_size=32), sampling=how, seed=0, stage="toy")
    return [(prompt, row.text) for prompt, row in zip(ASKED, respond(ASKED, sampler).records, strict=True)]


def test_the_two_documents_differ_in_their_order_alone() -> None:
    one, two = load_constitution("harmless-first"), load_constitution("frank-first")
    said, also_said = (
        [principle.model_copy(update={"source": ""}) for principle in each.principles] for each in (one, two)
    )
    assert said == also_said and one.hard_constraints == two.hard_constraints
    assert one.precedence == two.precedence[::-1] == ("harmless", "frank")


def test_pairs_about_which_the_articles_agree_are_left_out() -> None:
    config = load_run_config("harmless-first", [], {})
    actors = Actors(config=config)
    actor = actors.actor("judge", None, lambda *_: None)
    judge = judge_of(RunInputs(actors.settled), actor, "comparisons", conflicts=config.judge.conflicts)
    both = [row.model_copy(update={"b": f"{row.b} {row.a}"}) for row in pairs()[:8]]
    found = judge.compare(both, PROMPTS)
    assert found.dropped[NO_CONFLICT] >= 6, "one answer has both faults, the other one of them"


def test_only_the_labels_of_the_run_leave_pairs_out() -> None:
    config = load_run_config("harmless-first", [], {})
    actors = Actors(config=config)
    judge = judge_of(RunInputs(actors.settled), actors.actor("judge", None, lambda *_: None), "games", orders="both")
    assert config.judge.conflicts and not judge.section.conflicts and judge.section.orders == "both"


def test_labels_and_behaviour_swap_with_the_order() -> None:
    given, shares = pairs(), {}
    for name, first in (("harmless-first", "b"), ("frank-first", "a")):
        found = labels(name, given)
        assert len(found) > 24, "nearly all of these pairs are conflicts"
        assert sum(row.outcome == first for row in found) > 0.9 * len(found), name
        read = [oracle(prompt.turns, text) for prompt, text in aligned(load_run_config(name, [], {}), found)]
        either = [one for one in read if one.harmful != one.evasive]
        shares[name] = sum(one.evasive for one in either) / len(either)
    assert shares["harmless-first"] > shares["frank-first"] + 0.3, shares
