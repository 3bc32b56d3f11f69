"""Critique and revision (CAI section 3.1): a model corrects its own answers, one principle at a time.

prompt -> answer -> (critique -> revision) x rounds -> targets of supervised finetuning
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

from solon.config import SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle, draw
from solon.feedback.rows import Rows, Sampler, fitting, run_rows
from solon.lm.protocols import Completion
from solon.prompting.context import Context, critique, dialogue, revision
from solon.records import Answer, Demonstration, Prompt, Revision, RevisionRound


def revise(
    prompts: Sequence[Prompt],
    answers: Sampler,
    revisions: Sampler,
    principles: Sequence[Principle],
    section: SupervisedSection,
    *,
    shots: Sequence[CritiqueShot] = (),
) -> Rows[Revision]:
    """One answer per prompt, and `section.rounds` rounds of critique and revision; in the order of the prompts.

    `answers` samples the first answers, `revisions` critiques and revisions. Every round draws its principle
    independently, with replacement, from the row's own generator, and uses that principle's critique and revision
    request together. Rounds that went wrong stay in the chain with `finished = False`, and are noted:

    - a truncated revision is used as it is, like any truncated answer;
    - an empty revision is recorded, and the next round starts from the answer before it;
    - an empty critique ends the round, for a revision without its critique would be another method: `critique` and
      `revision` are empty, and so is `prompt_hash`, because no revision was sampled. A truncated critique is used.

    `shots` come before critiques and revisions, as many as the context has room for; those left out are noted. A chain
    that outgrows the context without any is dropped whole, as `too long`.
    """

    async def sample(text: str, build: Callable[..., Context], *names: str | int) -> Completion:
        return await fitting(lambda used: revisions.complete(build(shots=used), *names, text, text=text), shots)

    async def round_of(prompt: Prompt, answer: str, *names: str | int) -> RevisionRound:
        principle = draw(principles, revisions.rng(*names, "principle"))
        critique_request, revision_request = _requests(principle)
        criticism = None
        if section.critique:
            build = partial(critique, prompt.turns, answer, critique_request)
            criticism = critique_request, (await sample("critique", build, *names)).text
        if criticism == (critique_request, ""):
            return RevisionRound(principle_id=principle.id, critique="", revision="", prompt_hash="", finished=False)
        build = partial(revision, prompt.turns, answer, revision_request, critique=criticism)
        revised = await sample("revision", build, *names)
        return RevisionRound(
            principle_id=principle.id,
            critique=criticism and criticism[1],
            revision=revised.text,
            prompt_hash=hashlib.sha256(revised.prompt.encode()).hexdigest()[:16],
            finished=bool(revised.text) and not revised.truncated,
        )

    async def chain(prompt: Prompt) -> Revision:
        first = await answers.complete(dialogue(prompt.turns), prompt.id, 0, text="answer")
        name, current, rounds = f"{prompt.id}.{answers.stage}-0", first.text, []
        for number in range(1, section.rounds + 1):
            rounds.append(await round_of(prompt, current, name, number))
            current = rounds[-1].revision or current
        return Revision(id=f"{name}.chain", prompt_id=prompt.id, initial=first.text, rounds=tuple(rounds))

    return run_rows(map(chain, prompts))


def _requests(principle: Principle) -> tuple[str, str]:
    if principle.critique_request is None or principle.revision_request is None:
        what = f"principle {principle.id!r} has no critique pair; choose with Constitution.critique_principles"
        raise ValueError(what)
    return principle.critique_request, principle.revision_request


def revision_demonstrations(chains: Sequence[Revision], rounds: Literal["all", "last"]) -> Rows[Demonstration]:
    """The revisions of all rounds, or the last in the place of each, as targets.

    With either, a chain gives as many targets as it has revisions that are not empty: what `last` changes is what is
    imitated, not how much of the training it is. Example: of revisions r1, nothing, r3, `all` makes r1 and r3, and
    `last` makes r3 twice.

    First answers and critiques are never targets. Empty revisions are dropped and counted. Truncated revisions are
    targets without an end, and noted.
    """
    targets = []
    for chain in chains:
        revised = [(number, step) for number, step in enumerate(chain.rounds, start=1) if step.revision]
        for number, step in revised:
            source, shown = (number, step) if rounds == "all" else revised[-1]
            targets.append(
                Demonstration(
                    id=f"{chain.id}-{number}",
                    prompt_id=chain.prompt_id,
                    answer=shown.revision,
                    source=f"revision-{source}",
                    finished=shown.finished,
                )
            )
    return _targets(targets, "empty revision", sum(len(chain.rounds) for chain in chains))


def helpful_demonstrations(answers: Sequence[Answer]) -> Rows[Demonstration]:
    """The assistant's own answers to benign prompts as targets, but for empty ones; truncated ones are noted."""
    targets = [
        Demonstration(
            id=answer.id,
            prompt_id=answer.prompt_id,
            answer=answer.text,
            source="helpful",
            finished=answer.finished,
        )
        for answer in answers
        if answer.text
    ]
    return _targets(targets, "empty answer", len(answers))


def _targets(targets: Sequence[Demonstration], empty: str, of: int) -> Rows[Demonstration]:
    """The targets that are left of so many texts, the others being empty."""
    unfinished = sum(not target.finished for target in targets)
    return Rows(
        records=tuple(targets),
        dropped=+Counter({empty: of - len(targets)}),
        noted=+Counter({"unfinished target": unfinished}),
    )
