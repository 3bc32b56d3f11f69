"""Answers to prompts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from solon.config import SamplingSection
from solon.feedback.made import TOO_LONG, Made, fits, note_ending
from solon.lm.protocols import Progress, Writer, WriteRequest
from solon.prompting.dialogue import DialogueFormat
from solon.records import Answer, Prompt
from solon.seeds import derive_seed


def respond(
    prompts: Sequence[Prompt],
    model: Writer,
    format: DialogueFormat,
    sampling: SamplingSection,
    *,
    seed: int,
    stage: str,
    copies: int = 1,
    progress: Progress | None = None,
) -> Made[Answer]:
    """`copies` answers per prompt, in the order of the prompts.

    Empty and cut-off answers are kept, because they are evidence about the model, and noted. Prompts that do not fit
    the context are dropped with all their copies.
    """
    rows = [(prompt, copy) for prompt in prompts for copy in range(copies)]
    asked = [
        (row, answer_request(row[0], format, sampling, derive_seed(seed, stage, row[0].id, row[1]))) for row in rows
    ]
    ready = [(row, request) for row, request in asked if fits(model, request)]
    dropped = Counter({TOO_LONG: len(asked) - len(ready)})
    noted: Counter[str] = Counter()
    answers = []
    answered = model.write([request for _, request in ready], progress=progress)
    for ((prompt, copy), _), written in zip(ready, answered, strict=True):
        note_ending(noted, "answer", written)
        answers.append(
            Answer(
                id=f"{prompt.id}.{stage}-{copy}",
                prompt_id=prompt.id,
                text=written.text,
                tokens=written.tokens,
                finished=written.ended != "length",
            )
        )
    return Made(records=tuple(answers), dropped=+dropped, noted=noted, tokens=sum(a.tokens for a in answers))


def answer_request(prompt: Prompt, format: DialogueFormat, sampling: SamplingSection, seed: int) -> WriteRequest:
    """The request for one answer, at the temperature of `sampling`."""
    return WriteRequest(
        prompt=format.prompt(prompt.turns),
        seed=seed,
        max_new_tokens=sampling.max_new_tokens,
        temperature=sampling.temperature,
        stop=format.stop,
    )
