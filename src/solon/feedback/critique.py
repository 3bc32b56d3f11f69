"""Critique and revision (CAI section 3.1): a model corrects its own answers, one principle at a time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import compress

from solon.config import SamplingSection, SupervisedSection
from solon.constitution.few_shots import CritiqueShot
from solon.constitution.principles import Principle, draw
from solon.feedback.made import TOO_LONG, Made, by_id, fits, note_ending
from solon.lm.protocols import Progress, Writer, WriteRequest
from solon.prompting.dialogue import DialogueFormat
from solon.records import Answer, Prompt, Revision, RevisionRound
from solon.seeds import derive_seed, generator


@dataclass(kw_only=True)
class _Chain:
    id: str
    """The first answer's; the row's randomness is derived from it."""
    prompt: Prompt
    initial: str
    answer: str
    """What the next round corrects: the last revision that was neither empty nor cut off."""
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
            if chain.too_long:
                continue
            if critique == "":  # a revision without its critique would be another method
                chain.rounds.append(
                    RevisionRound(principle_id=principle.id, critique="", revision="", prompt_hash="", finished=False)
                )
            else:
                ready.append((chain, principle, critique))
        prompts = [self._revision_prompt(*row) for row in ready]
        texts = self._write([row[0] for row in ready], prompts, number, "revision")
        for (chain, principle, critique), prompt, text in zip(ready, prompts, texts, strict=True):
            if text is None:
                continue
            revision, whole = text
            chain.rounds.append(
                RevisionRound(
                    principle_id=principle.id,
                    critique=critique,
                    revision=revision,
                    prompt_hash=hashlib.sha256(prompt.encode()).hexdigest()[:16],
                    finished=whole,
                )
            )
            chain.answer = revision if whole else chain.answer

    def _critiques(self, chains: Sequence[_Chain], drawn: Sequence[Principle], number: int) -> list[str | None]:
        prompts = []
        for chain, principle in zip(chains, drawn, strict=True):
            request = _text(principle.critique_request, principle)
            prompts.append(self.format.critique(chain.prompt.turns, chain.answer, request, shots=self.shots))
        written = self._write(chains, prompts, number, "critique")
        return [None if text is None else text[0] for text in written]

    def _revision_prompt(self, chain: _Chain, principle: Principle, critique: str | None) -> str:
        pair = None if critique is None else (_text(principle.critique_request, principle), critique)
        request = _text(principle.revision_request, principle)
        return self.format.revision(chain.prompt.turns, chain.answer, request, critique=pair, shots=self.shots)

    def _write(
        self, chains: Sequence[_Chain], prompts: Sequence[str], number: int, what: str
    ) -> list[tuple[str, bool] | None]:
        """For each chain the text and whether it is whole; None, and the chain marked, where the prompt is too long."""
        requests = [
            WriteRequest(
                prompt=prompt,
                seed=derive_seed(self.seed, self.stage, chain.id, number, what),
                max_new_tokens=self.sampling.max_new_tokens,
                temperature=self.sampling.temperature,
                stop=self.format.stop,
            )
            for chain, prompt in zip(chains, prompts, strict=True)
        ]
        fitting = fits(self.model, requests)
        answers = iter(self.model.write(list(compress(requests, fitting)), progress=self.progress))
        texts: list[tuple[str, bool] | None] = []
        for chain, fit in zip(chains, fitting, strict=True):
            chain.too_long = not fit
            if not fit:
                texts.append(None)
                continue
            written = next(answers)
            self.tokens += written.tokens
            texts.append((written.text, note_ending(self.noted, what, written)))
        return texts


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
    `finished = False` and are noted; the next round starts from the last good answer, and none of them is a target for
    finetuning (`demonstrations`):

    - an empty or cut-off revision stays as it was written;
    - an empty critique ends the round: `critique` and `revision` are empty, and no revision was sampled
      (`prompt_hash` is empty too). A cut-off critique is used as it is.

    A chain that outgrows the model's context is dropped whole, as `too long`.
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
