"""Critique and revision (CAI section 3.1): a model corrects its own answers, one principle at a time."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from solon.config import SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle, draw
from solon.feedback.made import Made
from solon.feedback.respond import answer
from solon.feedback.rows import Asker
from solon.lm.protocols import Completion, LanguageModel, Sampling
from solon.prompting.context import Context, critique, revision
from solon.records import Prompt, Revision, RevisionRound


def revise(
    prompts: Sequence[Prompt],
    model: LanguageModel,
    principles: Sequence[Principle],
    section: SupervisedSection,
    sampling: Sampling,
    *,
    seed: int,
    shots: Sequence[CritiqueShot] = (),
) -> Made[Revision]:
    """One answer per prompt, and `section.rounds` rounds of critique and revision; in the order of the prompts.

    Every round draws its principle independently, with replacement, from the row's own generator, and uses that
    principle's critique and revision request together. Rounds that went wrong stay in the chain with
    `finished = False`, and are noted:

    - a cut-off revision is used as it is, like any cut-off answer;
    - an empty revision is recorded, and the next round starts from the answer before it;
    - an empty critique ends the round, for a revision without its critique would be another method: `critique` and
      `revision` are empty, and so is `prompt_hash`, because no revision was sampled. A cut-off critique is used.

    `shots` come before critiques and revisions, as many as the context has room for; those left out are noted. A chain
    that outgrows the context without any is dropped whole, as `too long`.
    """
    asker = Asker(model=model, sampling=sampling, seed=seed, stage="respond")
    reviser = replace(asker, stage="revisions")

    async def row(prompt: Prompt) -> Revision:
        first = await answer(asker, prompt)
        current, rounds = first.text, []
        for number in range(1, section.rounds + 1):
            principle = draw(principles, reviser.rng(first.id, number, "principle"))
            step = await _round(reviser, prompt, current, principle, section.critique, shots, first.id, number)
            rounds.append(step)
            current = step.revision or current
        return Revision(id=f"{first.id}.chain", prompt_id=prompt.id, initial=first.text, rounds=tuple(rounds))

    return asker.rows(row(prompt) for prompt in prompts)


async def _round(
    asker: Asker,
    prompt: Prompt,
    current: str,
    principle: Principle,
    with_critique: bool,
    shots: Sequence[CritiqueShot],
    *row: str | int,
) -> RevisionRound:
    """One round, in a clean context of prompt and current answer."""

    async def write(what: str, build: Callable[..., Context]) -> Completion:
        completion = await asker.fitting(lambda used: asker.complete(build(shots=used), *row, what), shots)
        asker.account.note_ending(what, completion)
        return completion

    request = _text(principle.critique_request, principle)
    criticism: tuple[str, str] | None = None
    if with_critique:
        written = await write("critique", partial(critique, prompt.turns, current, request))
        if not written.text:
            return RevisionRound(principle_id=principle.id, critique="", revision="", prompt_hash="", finished=False)
        criticism = (request, written.text)
    mending = _text(principle.revision_request, principle)
    revised = await write("revision", partial(revision, prompt.turns, current, mending, critique=criticism))
    return RevisionRound(
        principle_id=principle.id,
        critique=criticism and criticism[1],
        revision=revised.text,
        prompt_hash=hashlib.sha256(revised.prompt.encode()).hexdigest()[:16],
        finished=bool(revised.text) and not revised.truncated,
    )


def _text(request: str | None, principle: Principle) -> str:
    if request is None:
        raise ValueError(
            f"principle {principle.id!r} has no critique pair; choose with Constitution.critique_principles"
        )
    return request
