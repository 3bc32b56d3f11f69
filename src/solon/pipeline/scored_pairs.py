"""A preference model, held against comparisons that it was not trained on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from solon.data.reading import Example
from solon.evals.preference import ScoredPair
from solon.lm.engines.local import context_of
from solon.models.tokens import pad_id
from solon.pipeline.actors import Actors
from solon.train.preference import scores, sequence_tokens


def scored_pairs(folder: Path, examples: Sequence[Example], actors: Actors) -> tuple[list[ScoredPair], int]:
    """Pairs of two compared answers with the model's margins, in the order of the examples; and how many examples were
    left out, since an answer is longer than what the model reads at once."""
    model, tokenizer, format = actors.load_preference(folder), actors.tokenizer(folder), actors.format(folder)
    most = context_of(model.backbone, tokenizer)
    kept: list[Example] = []
    sequences: list[tuple[int, ...]] = []
    for example in examples:
        prompt = format.prompt(example.prompt.turns)
        both = [sequence_tokens(tokenizer, prompt, format.answer(answer)) for answer in example.answers]
        if max(map(len, both)) <= most:
            kept.append(example)
            sequences += both
    section = actors.settled.preference
    found = scores(model, sequences, section=section, pad_id=pad_id(tokenizer), dtype=actors.dtype)
    pairs = [
        ScoredPair(margin=a - b, p_a_preferred=example.p_first, prompt=example.prompt.id)
        for example, a, b in zip(kept, found[::2], found[1::2], strict=True)
    ]
    return pairs, len(examples) - len(kept)
