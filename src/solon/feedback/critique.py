"""Critique and revision (CAI section 3.1): a model corrects its own answers, one principle at a time.

prompt -> answer -> (critique -> revision) x rounds -> targets of supervised finetuning
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from solon.config.feedback import SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle, draw
from solon.errors import EngineUnavailableError
from solon.evals.flaws import critique_echo, revision_echo
from solon.feedback.judge import Judge
from solon.feedback.rows import Rows, Sampler, fitting, note, run_rows
from solon.lm.protocols import Completion
from solon.prompting.asking import CritiqueFormat
from solon.prompting.context import Context, dialogue, digest
from solon.records import Answer, Demonstration, Gate, Pair, Prompt, Revision, RevisionRound

AS_IN_THE_PAPER = CritiqueFormat()
NOT_KEPT = "revision not kept by the gate"
UNREAD = "the verdict could not be read"


def revise(
    prompts: Sequence[Prompt],
    answers: Sampler,
    revisions: Sampler,
    principles: Sequence[Principle],
    section: SupervisedSection,
    *,
    shots: Sequence[CritiqueShot] = (),
    format: CritiqueFormat = AS_IN_THE_PAPER,
    gate: Judge | None = None,
) -> Rows[Revision]:
    """One answer per prompt, and `section.rounds` rounds of critique and revision; in the order of the prompts.

    `answers` samples the first answers, `revisions` critiques and revisions, asked for as `format` says. Every round
    draws its principle independently, with replacement, from the row's own generator, and uses that principle's
    critique and revision request together. Rounds that went wrong stay in the chain with `finished = False`, and are
    noted:

    - a truncated revision is used as it is, like any truncated answer;
    - an empty revision is recorded, and the next round starts from the answer before it;
    - an empty critique ends the round, for a revision without its critique would be another method: `critique` and
      `revision` are empty, and so is `prompt_hash`, because no revision was sampled. A truncated critique is used.

    With a `gate` a revision is kept only if this judge prefers it, in both orders taken together, to the answer that it
    is to replace; else the next round starts from that answer again. The judge is asked the comparison question of the
    round's principle, or of one that it draws if that principle has none.

    `shots` come before critiques and revisions, as many as the context has room for; those left out are noted. A chain
    that outgrows the context without any is dropped whole, as `too long`. Raises `EngineUnavailableError` of an engine
    that cannot begin a reply where `format` does.
    """
    if format.begun and not revisions.model.can.prefill:
        what = f"{revisions.model.identity} cannot go on with a reply that is begun, as supervised.ask wants it"
        raise EngineUnavailableError(what, hint='set supervised.ask = "one-turn", or take another engine')
    chains = _Chains(answers, revisions, principles, section, shots, format, gate)
    return run_rows(map(chains.chain, prompts))


@dataclass(frozen=True)
class _Chains:
    """See `revise`."""

    answers: Sampler
    revisions: Sampler
    principles: Sequence[Principle]
    section: SupervisedSection
    shots: Sequence[CritiqueShot]
    format: CritiqueFormat
    gate: Judge | None

    async def chain(self, prompt: Prompt) -> Revision:
        first = await self.answers.complete(dialogue(prompt.turns), prompt.id, 0, text="answer")
        name, current, rounds = f"{prompt.id}.{self.answers.stage}-0", first.text, []
        for number in range(1, self.section.rounds + 1):
            principle = draw(self.principles, self.revisions.rng(name, number, "principle"))
            step = await self.round(prompt, current, principle, name, number)
            if self.gate and step.revision:
                step = step.model_copy(
                    update={"gate": await self.judged(prompt, current, step, principle, name, number)}
                )
            rounds.append(step)
            current = step.revision if step.used else current
        return Revision(id=f"{name}.chain", prompt_id=prompt.id, initial=first.text, rounds=tuple(rounds))

    async def round(self, prompt: Prompt, answer: str, principle: Principle, *names: str | int) -> RevisionRound:
        critique_request, revision_request = _requests(principle)
        criticism, critique_hash, asked, turns = None, None, self.format, prompt.turns
        if self.section.critique:
            build = partial(asked.critique, turns, answer, critique_request)
            written = await self.sample("critique", build, partial(critique_echo, answer=answer), *names)
            criticism, critique_hash = (critique_request, written.text), digest(written.prompt)
        if criticism == (critique_request, ""):
            return RevisionRound(
                principle_id=principle.id,
                critique="",
                revision="",
                prompt_hash="",
                critique_hash=critique_hash,
                finished=False,
            )
        build = partial(asked.revision, turns, answer, revision_request, critique=criticism)
        echo = partial(
            revision_echo,
            answer=answer,
            critique=criticism[1] if criticism else "",
            request=f"{revision_request}\n{asked.frame}",
            prompt=turns[-1].text,
        )
        revised = await self.sample("revision", build, echo, *names)
        return RevisionRound(
            principle_id=principle.id,
            critique=criticism and criticism[1],
            revision=revised.text,
            prompt_hash=digest(revised.prompt),
            critique_hash=critique_hash,
            finished=bool(revised.text) and not revised.truncated,
        )

    async def sample(
        self,
        text: Literal["critique", "revision"],
        build: Callable[..., Context],
        echo: Callable[[str], str | None],
        *names: str | int,
    ) -> Completion:
        return await fitting(
            lambda used: self.revisions.complete(build(shots=used), *names, text, text=text, echo=echo), self.shots
        )

    async def judged(
        self, prompt: Prompt, answer: str, step: RevisionRound, principle: Principle, *names: str | int
    ) -> Gate:
        assert self.gate is not None
        if step.revision == answer:
            note(f"{NOT_KEPT}: it changes nothing")
            return Gate(p_preferred=None)
        pair = Pair(id=".".join(map(str, names)), prompt_id=prompt.id, a=step.revision, b=answer)
        asked = principle if principle.comparison_question else None
        found = await self.gate.label(pair, prompt, asked)
        if found.unscored is not None:
            note(f"unscored: {found.unscored}")
            note(f"{NOT_KEPT}: {UNREAD}")
        elif found.p_a_preferred is not None and found.p_a_preferred <= 0.5:
            note(f"{NOT_KEPT}: the judge prefers the answer, or neither")
        return Gate(p_preferred=found.p_a_preferred, principle_id=found.principle_id)


def gate_verdicts(chains: Sequence[Revision]) -> list[str | None]:
    """Of every revision that a gate asked its judge about: why there is no verdict, None if there is one."""
    gates = [step.gate for chain in chains for step in chain.rounds if step.gate and step.gate.principle_id]
    return [UNREAD if gate.p_preferred is None else None for gate in gates]


def _requests(principle: Principle) -> tuple[str, str]:
    if principle.critique_request is None or principle.revision_request is None:
        what = f"principle {principle.id!r} has no critique pair; choose with Constitution.critique_principles"
        raise ValueError(what)
    return principle.critique_request, principle.revision_request


def revision_demonstrations(chains: Sequence[Revision], rounds: Literal["all", "last"]) -> Rows[Demonstration]:
    """The revisions of all rounds, or the last in the place of each, as targets.

    With either, a chain gives as many targets as it has revisions that were kept and are not empty: what `last` changes
    is what is imitated, not how much of the training it is. Example: of revisions r1, nothing, r3, `all` makes r1 and
    r3, and `last` makes r3 twice.

    First answers and critiques are never targets. Revisions that are empty, or that a gate did not keep, are dropped
    and counted. Truncated revisions are targets without an end, and noted.
    """
    targets = []
    for chain in chains:
        revised = [(number, step) for number, step in enumerate(chain.rounds, start=1) if step.used]
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
    steps = [step for chain in chains for step in chain.rounds if not step.used]
    return _targets(targets, Counter(NOT_KEPT if step.revision else "empty revision" for step in steps))


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
    return _targets(targets, Counter({"empty answer": len(answers) - len(targets)}))


def _targets(targets: Sequence[Demonstration], dropped: Counter[str]) -> Rows[Demonstration]:
    unfinished = sum(not target.finished for target in targets)
    return Rows(records=tuple(targets), dropped=+dropped, noted=+Counter({"unfinished target": unfinished}))
