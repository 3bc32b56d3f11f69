"""Critique and revision (CAI section 3.1): a model corrects its own answers, one principle at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from solon.config import SamplingSection, SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle, draw
from solon.feedback.made import TOO_LONG, Made, by_id, fitting, note_ending
from solon.lm.protocols import Progress, Writer, WriteRequest
from solon.prompting.dialogue import DialogueFormat
from solon.records import Answer, Prompt, Revision, RevisionRound
from solon.seeds import derive_seed, generator

_Render = Callable[[Sequence[CritiqueShot]], str]
"""A prompt, given the few-shot examples before it."""


@dataclass(frozen=True, kw_only=True)
class _Said:
    prompt: str
    text: str
    whole: bool
    """Neither empty nor cut off."""


@dataclass(kw_only=True)
class _Chain:
    id: str
    """The first answer's; the row's randomness is derived from it."""
    prompt: Prompt
    initial: str
    answer: str
    """What the next round corrects: the last revision that is not empty."""
    rounds: list[RevisionRound] = field(default_factory=list)
    too_long: bool = False


@dataclass(kw_only=True)
class _Reviser:
    model: Writer
    format: DialogueFormat
    principles: Sequence[Principle]
    section: SupervisedSection
    sampling: SamplingSection
    seed: int
    stage: str
    shots: Sequence[CritiqueShot]
    progress: Progress | None
    noted: Counter[str] = field(default_factory=Counter)
    tokens: int = 0

    def round(self, chains: Sequence[_Chain], number: int) -> None:
        """One round for every chain, in a clean context of prompt and current answer."""
        drawn = [
            draw(self.principles, generator(self.seed, self.stage, chain.id, number, "principle")) for chain in chains
        ]
        critiques = self._critiques(chains, drawn, number) if self.section.critique else [None] * len(chains)
        ready: list[tuple[_Chain, Principle, str | None]] = []
        for chain, principle, critique in zip(chains, drawn, critiques, strict=True):
            if critique == "":
                chain.rounds.append(
                    RevisionRound(principle_id=principle.id, critique="", revision="", prompt_hash="", finished=False)
                )
            elif not chain.too_long:
                ready.append((chain, principle, critique))
        tasks = [(chain, self._revision_prompt(chain, principle, critique)) for chain, principle, critique in ready]
        for (chain, principle, critique), said in zip(ready, self._write(tasks, number, "revision"), strict=True):
            if said is None:
                continue
            chain.rounds.append(
                RevisionRound(
                    principle_id=principle.id,
                    critique=critique,
                    revision=said.text,
                    prompt_hash=hashlib.sha256(said.prompt.encode()).hexdigest()[:16],
                    finished=said.whole,
                )
            )
            chain.answer = said.text or chain.answer

    def _critiques(self, chains: Sequence[_Chain], drawn: Sequence[Principle], number: int) -> list[str | None]:
        tasks = [
            (chain, self._critique_prompt(chain, principle)) for chain, principle in zip(chains, drawn, strict=True)
        ]
        return [None if said is None else said.text for said in self._write(tasks, number, "critique")]

    def _critique_prompt(self, chain: _Chain, principle: Principle) -> _Render:
        request = _text(principle.critique_request, principle)
        return lambda shots: self.format.critique(chain.prompt.turns, chain.answer, request, shots=shots)

    def _revision_prompt(self, chain: _Chain, principle: Principle, critique: str | None) -> _Render:
        pair = None if critique is None else (_text(principle.critique_request, principle), critique)
        request = _text(principle.revision_request, principle)
        turns, answer = chain.prompt.turns, chain.answer
        return lambda shots: self.format.revision(turns, answer, request, critique=pair, shots=shots)

    def _write(self, tasks: Sequence[tuple[_Chain, _Render]], number: int, what: str) -> list[_Said | None]:
        """What is written for each chain; None, and the chain marked, where the prompt is too long."""

        def request(chain: _Chain, render: _Render, shots: Sequence[CritiqueShot]) -> WriteRequest:
            return WriteRequest(
                prompt=render(shots),
                seed=derive_seed(self.seed, self.stage, chain.id, number, what),
                max_new_tokens=self.sampling.max_new_tokens,
                temperature=self.sampling.temperature,
                stop=self.format.stop,
            )

        requests = [fitting(self.model, partial(request, *task), self.shots, self.noted) for task in tasks]
        answers = iter(self.model.write([r for r in requests if r is not None], progress=self.progress))
        said: list[_Said | None] = []
        for (chain, _), asked in zip(tasks, requests, strict=True):
            chain.too_long = asked is None
            if asked is None:
                said.append(None)
                continue
            written = next(answers)
            self.tokens += written.tokens
            whole = note_ending(self.noted, what, written)
            said.append(_Said(prompt=asked.prompt, text=written.text, whole=whole))
        return said


def revise(
    prompts: Sequence[Prompt],
    answers: Sequence[Answer],
    model: Writer,
    format: DialogueFormat,
    principles: Sequence[Principle],
    section: SupervisedSection,
    sampling: SamplingSection,
    *,
    seed: int,
    stage: str = "revisions",
    shots: Sequence[CritiqueShot] = (),
    progress: Progress | None = None,
) -> Made[Revision]:
    """One chain of `section.rounds` rounds per answer, in the order of the answers.

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
    asked = by_id(prompts)
    chains = [_Chain(id=a.id, prompt=asked[a.prompt_id], initial=a.text, answer=a.text) for a in answers]
    reviser = _Reviser(
        model=model,
        format=format,
        principles=principles,
        section=section,
        sampling=sampling,
        seed=seed,
        stage=stage,
        shots=shots,
        progress=progress,
    )
    for number in range(1, section.rounds + 1):
        reviser.round([chain for chain in chains if not chain.too_long], number)
    kept = [chain for chain in chains if not chain.too_long]
    return Made(
        records=tuple(
            Revision(id=f"{chain.id}.chain", prompt_id=chain.prompt.id, initial=chain.initial, rounds=(*chain.rounds,))
            for chain in kept
        ),
        dropped=+Counter({TOO_LONG: len(chains) - len(kept)}),
        noted=reviser.noted,
        tokens=reviser.tokens,
    )


def _text(request: str | None, principle: Principle) -> str:
    if request is None:
        raise ValueError(
            f"principle {principle.id!r} has no critique pair; choose with Constitution.critique_principles"
        )
    return request
