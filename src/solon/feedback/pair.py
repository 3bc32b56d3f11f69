"""Pairs of answers to be compared (CAI section 4.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from solon.config import SamplingSection
from solon.feedback.made import TOO_LONG, Made, fits, note_ending
from solon.feedback.respond import answer_request
from solon.lm.protocols import Progress, Writer, WriteRequest
from solon.prompting.dialogue import DialogueFormat
from solon.records import Pair, Prompt
from solon.seeds import derive_seed

IDENTICAL = "identical"
"""Both answers are the same text: there is nothing to compare."""
NEEDLESS_REFUSAL = "needless-refusal"
"""Source of pairs that teach a model not to refuse what is harmless."""


def answer_pairs(
    prompts: Sequence[Prompt],
    model: Writer,
    format: DialogueFormat,
    sampling: SamplingSection,
    *,
    seed: int,
    stage: str = "pairs",
    per_prompt: int = 1,
    progress: Progress | None = None,
) -> Made[Pair]:
    """`per_prompt` pairs per prompt: two answers of one model at one temperature, which differ by their seeds alone."""
    rows = []
    for prompt in prompts:
        for number in range(per_prompt):
            name = f"{prompt.id}.{stage}-{number}"
            first = answer_request(prompt, format, sampling, derive_seed(seed, stage, prompt.id, number, "a"))
            second = answer_request(prompt, format, sampling, derive_seed(seed, stage, prompt.id, number, "b"))
            rows.append((name, prompt.id, (first, second)))
    return write_pairs(rows, model, source="policy", progress=progress)


def twin_pairs(
    prompts: Sequence[Prompt],
    harmful_twins: Mapping[str, Prompt],
    model: Writer,
    format: DialogueFormat,
    sampling: SamplingSection,
    *,
    seed: int,
    stage: str = "needless-refusals",
    per_prompt: int = 1,
    progress: Progress | None = None,
) -> Made[Pair]:
    """An own answer to a benign prompt (`a`), and what the same model answers to a harmful one (`b`), likely a refusal.

    harmful_twins: for a benign prompt's id, a harmful prompt in the same situation. Prompts without a twin are dropped
    as `no harmful twin`. Which answer helps more is for somebody to say who knows: the model may have complied.
    """
    rows = []
    dropped: Counter[str] = Counter()
    for prompt in prompts:
        twin = harmful_twins.get(prompt.id)
        if twin is None:
            dropped["no harmful twin"] += per_prompt
            continue
        for number in range(per_prompt):
            name = f"{prompt.id}.{stage}-{number}"
            own = answer_request(prompt, format, sampling, derive_seed(seed, stage, prompt.id, number, "a"))
            refusal = answer_request(twin, format, sampling, derive_seed(seed, stage, prompt.id, number, "b"))
            rows.append((name, prompt.id, (own, refusal)))
    made = write_pairs(rows, model, source=NEEDLESS_REFUSAL, progress=progress)
    return Made(records=made.records, dropped=made.dropped + dropped, noted=made.noted, tokens=made.tokens)


def write_pairs(
    rows: Sequence[tuple[str, str, tuple[WriteRequest, WriteRequest]]],
    model: Writer,
    *,
    source: str,
    progress: Progress | None,
) -> Made[Pair]:
    """Both texts of every row: (pair id, prompt id, the two requests).

    Rows are dropped if one of their requests does not fit the context, or if both texts are the same.
    """
    ready = [row for row in rows if all(fits(model, request) for request in row[2])]
    written = model.write([request for *_, requests in ready for request in requests], progress=progress)
    dropped = Counter({TOO_LONG: len(rows) - len(ready)})
    noted: Counter[str] = Counter()
    pairs = []
    for index, (name, prompt_id, _) in enumerate(ready):
        first, second = written[2 * index : 2 * index + 2]
        if first.text == second.text:
            dropped[IDENTICAL] += 1
            continue
        note_ending(noted, "answer", first)
        note_ending(noted, "answer", second)
        pairs.append(Pair(id=name, prompt_id=prompt_id, a=first.text, b=second.text, source=source))
    return Made(records=tuple(pairs), dropped=+dropped, noted=noted, tokens=sum(text.tokens for text in written))
