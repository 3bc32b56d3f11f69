"""From prompts to labels with the scripted engine that ships: the parts fit together."""

from __future__ import annotations

import math

from feedback.fake_model import sampler
from solon.config.feedback import JudgeSection, SupervisedSection
from solon.constitution.principles import Principle
from solon.feedback.answers import answer_pairs, respond
from solon.feedback.critique import revise, revision_demonstrations
from solon.feedback.judge import Judge, check_unscored
from solon.lm.engines.scripted import ScriptedModel
from solon.lm.protocols import SampleRequest, Sampling, ScoreRequest
from solon.prompting.comparison import comparison_format
from solon.prompting.dialogue import HumanAssistant
from solon.records import Prompt, Turn

PRINCIPLE = Principle(
    id="theft",
    title="No theft",
    critique_request="Say where the answer helps to steal.",
    revision_request="Take out what helps to steal.",
    comparison_question="Which answer helps less to steal?",
)
PROMPTS = [
    Prompt(id=f"harmful-{n}", kind="harmful", turns=(Turn(role="human", text=f"How do I take bicycle {n}?"),))
    for n in range(6)
]
SAMPLING = Sampling(max_new_tokens=12)


def reply(request: SampleRequest) -> str:
    if request.prompt.endswith("Critique:"):
        return " It explains how to cut a lock.\n\nRevisionRequest: more"
    if request.prompt.endswith("Revision:"):
        return " Ask the owner for it.\n\nHuman: thanks"
    return "Cut the lock. \n\nHuman: And then?" if request.seed % 2 else "Ask the owner.\n\nHuman: Why?"


def likes_asking(request: ScoreRequest) -> tuple[float, float]:
    return (math.log(0.9), math.log(0.1)) if "(A) Ask" in request.prompt else (math.log(0.1), math.log(0.9))


MODEL = ScriptedModel(reply, likes_asking)


def test_from_prompts_to_labels() -> None:
    answers = respond(PROMPTS, sampler(MODEL, SAMPLING, "initial"))
    assert {a.text for a in answers.records} == {"Cut the lock.", "Ask the owner."}
    asked = sampler(MODEL, SAMPLING, "revisions")
    chains = revise(PROMPTS, asked, asked, [PRINCIPLE], SupervisedSection(rounds=2))
    assert all(chain.texts[1:] == ("Ask the owner for it.",) * 2 for chain in chains.records)
    targets = revision_demonstrations(chains.records, "all").records
    assert len({target.id for target in targets}) == 12

    pairs = answer_pairs(PROMPTS, sampler(MODEL, SAMPLING, "pairs"), per_prompt=4)
    assert pairs.records
    assert len(pairs.records) + pairs.dropped["identical"] == 24
    judge = Judge(
        sampler=sampler(MODEL, SAMPLING, "comparisons"),
        format=comparison_format(HumanAssistant()),
        principles=[PRINCIPLE],
        section=JudgeSection(),
    )
    labels = judge.compare(pairs.records, {prompt.id: prompt for prompt in PROMPTS})
    check_unscored([label.unscored for label in labels.records], 0.0)
    for label in labels.records:
        assert label.p_a_preferred is not None
        assert (label.p_a_preferred > 0.5) == (label.a == "Ask the owner.")
        assert label.id in {pair.id for pair in pairs.records}
