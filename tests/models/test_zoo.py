"""Models of every kind: a row gives the same alone and in any batch, and what the model itself gives of a whole text."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor

from solon.lm.inprocess import InProcessModel
from solon.lm.protocols import OptionRequest, WriteRequest
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel
from solon.train.batches import TokenExample, collate
from solon.train.forward import answer_logits, attention_for
from solon.train.preference import scores
from tiny_models import tiny_tokenizer
from zoo import KINDS, zoo_model

BEGINNING = "\n\nHuman: Here is an example that all prompts share.\n\nAssistant: Yes."
"""Longer than any window of the zoo, and than the shortest beginning that is read once for all."""
PROMPTS = ["a", BEGINNING, BEGINNING + " Why?", BEGINNING + " How do I give the ladder back?", BEGINNING + " b" * 9]
OPTIONS = (" (A)", " (B) or not", " (A) if")
LENGTHS = (23, 14, 30, 2)
CPU = torch.device("cpu")

every_kind = pytest.mark.parametrize("kind", KINDS)


def engine(kind: str) -> InProcessModel:
    return InProcessModel(
        LoadedModel(model=zoo_model(kind), tokenizer=tiny_tokenizer(), path=Path(kind), fingerprint="")
    )


def whole(kind: str, ids: list[int]) -> Tensor:
    """Log-probabilities of a whole text as the model alone gives them, [T, V]."""
    with torch.no_grad():
        logits: Tensor = zoo_model(kind)(torch.tensor([ids]), use_cache=False).logits
    return logits[0].float().log_softmax(-1)


@every_kind
def test_what_is_written_does_not_depend_on_the_batch_and_is_the_models_own(kind: str) -> None:
    model = engine(kind)
    asked = [
        WriteRequest(prompt=prompt, seed=row, max_new_tokens=4 + 3 * (row % 3), temperature=float(row % 2))
        for row, prompt in enumerate([*PROMPTS, PROMPTS[2]])
    ]
    together = model.sample_tokens(asked)
    shared = model.sample_tokens(asked[1:])  # without the one that begins otherwise
    alone = [model.sample_tokens([request])[0] for request in asked]
    for one, other in zip([*together, *shared], [*alone, *alone[1:]], strict=True):
        assert one.answer_ids == other.answer_ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)
    for one, request in zip(together, asked, strict=True):
        logp = whole(kind, [*one.prompt_ids, *one.answer_ids])[len(one.prompt_ids) - 1 : -1]
        own = [float(logp[place, token]) for place, token in enumerate(one.answer_ids)]
        assert one.logprobs == pytest.approx(own, abs=1e-3)
        if request.temperature == 0:
            assert list(one.answer_ids) == logp[: len(own)].argmax(-1).tolist()


@every_kind
def test_options_score_alike_alone_and_together_and_as_the_whole_text_does(kind: str) -> None:
    model, encode = engine(kind), tiny_tokenizer().encode
    asked = [OptionRequest(prompt=prompt, options=OPTIONS[: 2 + row % 2]) for row, prompt in enumerate(PROMPTS)]
    together = [*model.score(asked[1:]), *model.score(asked)]
    for request, scored in zip([*asked[1:], *asked], together, strict=True):
        for option, logprob in zip(request.options, scored.logprobs, strict=True):
            before, after = encode(request.prompt), encode(option)
            logp = whole(kind, before + after)[len(before) - 1 : -1]
            expected = sum(float(logp[place, token]) for place, token in enumerate(after))
            assert logprob == pytest.approx(expected, abs=1e-3)


def rows() -> list[list[int]]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randint(2, 300, (length,), generator=rng).tolist() for length in LENGTHS]


@every_kind
def test_training_reads_a_row_alike_alone_and_padded(kind: str) -> None:
    model = zoo_model(kind)
    examples = [
        TokenExample(id=str(len(ids)), input_ids=tuple(ids), loss_mask=(False, *[True] * (len(ids) - 1)))
        for ids in rows()
    ]
    model.train()
    try:
        with torch.no_grad(), attention_for([model], max(LENGTHS)):
            together = answer_logits(model, collate(examples, 1, CPU), torch.float32)
            alone = [answer_logits(model, collate([example], 1, CPU), torch.float32) for example in examples]
    finally:
        model.eval()
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-3, rtol=1e-3)
    own = torch.cat([whole(kind, ids)[:-1] for ids in rows()])
    torch.testing.assert_close(together.log_softmax(-1), own, atol=1e-3, rtol=1e-3)


@every_kind
def test_a_preference_score_is_the_same_alone_and_padded(kind: str) -> None:
    model = PreferenceModel(zoo_model(kind)).eval()
    together = scores(model, rows(), pad_id=1)
    assert together == pytest.approx([scores(model, [row], pad_id=1)[0] for row in rows()], abs=1e-3)
    assert len(set(together)) == len(LENGTHS)
