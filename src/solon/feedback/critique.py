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
    revising: Sampling | None = None,
    shots: Sequence[CritiqueShot] = (),
) -> Made[Revision]:
    """One answer per prompt, and `section.rounds` rounds of critique and revision; in the order of the prompts.

    Every round draws its principle independently, with replacement, from the row's own generator, and uses that
    principle's critique and revision request together. Critiques and revisions are sampled as `revising` says, by
    default like the answers. Rounds that went wrong stay in the chain with `finished = False`, and are noted:

    - a cut-off revision is used as it is, like any cut-off answer;
    - an empty revision is recorded, and the next round starts from the answer before it;
    - an empty critique ends the round, for a revision without its critique would be another method: `critique` and
      `revision` are empty, and so is `prompt_hash`, because no revision was sampled. A cut-off critique is used.

    `shots` come before critiques and revisions, as many as the context has room for; those left out are noted. A chain
    that outgrows the context without any is dropped whole, as `too long`.
    """
    asker = Asker(model=model, sampling=sampling, seed=seed, stage="respond")
    reviser = replace(asker, sampling=revising or sampling, stage="revisions")

    async def write(what: str, build: Callable[..., Context], *row: str | int) -> Completion:
        written = await reviser.fitting(lambda used: reviser.complete(build(shots=used), *row, what), shots)
        reviser.note_ending(what, written)
        return written

    async def row(prompt: Prompt) -> Revision:
        first = await answer(asker, prompt)
        current, rounds = first.text, []
        for number in range(1, section.rounds + 1):
            principle = draw(principles, reviser.rng(first.id, number, "principle"))
            request, mending = _requests(principle)
            criticism = None
            if section.critique:
                build = partial(critique, prompt.turns, current, request)
                criticism = request, (await write("critique", build, first.id, number)).text
            if criticism == (request, ""):
                rounds.append(_no_revision(principle))
                continue
            build = partial(revision, prompt.turns, current, mending, critique=criticism)
            revised = await write("revision", build, first.id, number)
            rounds.append(
                RevisionRound(
                    principle_id=principle.id,
                    critique=criticism and criticism[1],
                    revision=revised.text,
                    prompt_hash=hashlib.sha256(revised.prompt.encode()).hexdigest()[:16],
                    finished=bool(revised.text) and not revised.truncated,
                )
            )
            current = revised.text or current
        return Revision(id=f"{first.id}.chain", prompt_id=prompt.id, initial=first.text, rounds=tuple(rounds))

    return asker.rows(map(row, prompts))


def _no_revision(principle: Principle) -> RevisionRound:
    """A round whose critique is empty."""
    return RevisionRound(principle_id=principle.id, critique="", revision="", prompt_hash="", finished=False)


def _requests(principle: Principle) -> tuple[str, str]:
    """For its critique, and for its revision."""
    if principle.critique_request is None or principle.revision_request is None:
        what = f"principle {principle.id!r} has no critique pair; choose with Constitution.critique_principles"
        raise ValueError(what)
    return principle.critique_request, principle.revision_request
