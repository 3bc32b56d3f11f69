"""Models of every kind: a row gives the same alone and in any batch, and what the model itself gives of the text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
import torch
from torch import Tensor
from torch.nn.attention import flex_attention
from transformers import PreTrainedModel

from lm.scoring import score
from solon.lm.check import ModelSummary, check_model
from solon.lm.engines.local import LocalModel
from solon.lm.packed import packs
from solon.lm.protocols import SampleRequest, ScoreRequest
from solon.models.heads import PreferenceModel
from solon.models.load import LoadedModel, load_model
from solon.train import attention, forest, forward
from solon.train.batches import TokenExample
from solon.train.forward import Reader
from solon.train.layout import pad_with_mask
from solon.train.losses import cross_entropy
from solon.train.preference import scores
from tiny_models import tiny_tokenizer
from zoo import KINDS, PLACES, zoo_folder, zoo_model

BEGINNING = "\n\nHuman: Here is an example that all prompts share.\n\nAssistant: Yes."
"""Longer than any window of the zoo, and than the shortest beginning that is read once for all."""
PROMPTS = ["a", BEGINNING, BEGINNING + " Why?", BEGINNING + " How do I give the ladder back?", BEGINNING + " b" * 9]
OPTIONS = (" (A)", " (B) or not", " (A) if")
LENGTHS = (23, 14, 30, 2)
CPU = torch.device("cpu")

every_kind = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture(scope="module")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], LoadedModel]:
    """A model of that kind, written to a folder and read from it as any other."""
    folder = tmp_path_factory.mktemp("zoo")

    @cache
    def loaded(kind: str) -> LoadedModel:
        return load_model(zoo_folder(folder, kind), dtype=torch.float32, device="cpu")

    return loaded


Zoo = Callable[[str], LoadedModel]


def whole(loaded: LoadedModel, ids: list[int]) -> Tensor:
    """Log-probabilities of a whole text as the model alone gives them, [T, V]."""
    with torch.no_grad():
        logits: Tensor = loaded.model(torch.tensor([ids]), use_cache=False).logits
    return logits[0].float().log_softmax(-1)


@every_kind
def test_what_is_written_does_not_depend_on_the_batch_and_is_the_models_own(zoo: Zoo, kind: str) -> None:
    loaded = zoo(kind)
    model = LocalModel(loaded)
    asked = [
        SampleRequest(prompt=prompt, seed=row, max_new_tokens=4 + 3 * (row % 3), temperature=float(row % 2))
        for row, prompt in enumerate([*PROMPTS, PROMPTS[2]])
    ]
    together = model.sample(asked)
    shared = model.sample(asked[1:])  # without the one that begins otherwise
    alone = [model.sample([request])[0] for request in asked]
    for one, other in zip([*together, *shared], [*alone, *alone[1:]], strict=True):
        assert one.answer_ids == other.answer_ids
        assert one.logprobs == pytest.approx(other.logprobs, abs=1e-3)
    for one, request in zip(together, asked, strict=True):
        logp = whole(loaded, [*one.prompt_ids, *one.answer_ids])[len(one.prompt_ids) - 1 : -1]
        own = [float(logp[place, token]) for place, token in enumerate(one.answer_ids)]
        assert one.logprobs == pytest.approx(own, abs=1e-3)
        if request.temperature == 0:
            assert list(one.answer_ids) == logp[: len(own)].argmax(-1).tolist()


@every_kind
def test_options_score_alike_alone_and_together_and_as_the_whole_text_does(zoo: Zoo, kind: str) -> None:
    loaded, encode = zoo(kind), tiny_tokenizer().encode
    model = LocalModel(loaded)
    asked = [ScoreRequest(prompt=prompt, options=OPTIONS[: 2 + row % 2]) for row, prompt in enumerate(PROMPTS)]
    together = [*score(model, asked[1:]), *score(model, asked)]
    for request, scored in zip([*asked[1:], *asked], together, strict=True):
        for option, logprob in zip(request.options, scored.logprobs, strict=True):
            before, after = encode(request.prompt), encode(option)
            logp = whole(loaded, before + after)[len(before) - 1 : -1]
            expected = sum(float(logp[place, token]) for place, token in enumerate(after))
            assert logprob == pytest.approx(expected, abs=1e-3)


def rows() -> list[list[int]]:
    rng = torch.Generator().manual_seed(1)
    return [torch.randint(2, 300, (length,), generator=rng).tolist() for length in LENGTHS]


@every_kind
def test_training_reads_a_row_alike_alone_and_beside_others(zoo: Zoo, kind: str) -> None:
    loaded = zoo(kind)
    examples = [
        TokenExample(id=str(len(ids)), input_ids=tuple(ids), loss_mask=(False, *[True] * (len(ids) - 1)))
        for ids in rows()
    ]
    reader = Reader(loaded.model, pad_id=1, dtype=torch.float32)
    with torch.no_grad():
        together = reader.logits(reader.collate_examples(examples))
        alone = [reader.logits(reader.collate_examples([example])) for example in examples]
    torch.testing.assert_close(together, torch.cat(alone), atol=1e-3, rtol=1e-3)
    own = torch.cat([whole(loaded, ids)[:-1] for ids in rows()])
    torch.testing.assert_close(together.log_softmax(-1), own, atol=1e-3, rtol=1e-3)


@every_kind
def test_a_preference_score_is_the_same_alone_and_beside_others(zoo: Zoo, kind: str) -> None:
    model = PreferenceModel(zoo(kind).model).eval()
    together = scores(model, rows(), pad_id=1)
    assert together == pytest.approx([scores(model, [row], pad_id=1)[0] for row in rows()], abs=1e-3)
    assert len(set(together)) == len(LENGTHS)


def family() -> list[TokenExample]:
    """Rows as of three prompts and one alone: with trunks shorter and longer than a window, two of unlike length that
    are padded together, one row that another begins with, and one that is there twice."""
    one, other, alone, _ = rows()
    ends = [[*one, 5, 6], [*one, 7], [*one, 5, 6], [*one, 5, 8, 9, 10], other[:4], [*other[:4], 11, 12], alone]
    ends += [[*other, 21, 22, 23], [*other, 24]]
    masks = [[False, *[place % 3 != 0 for place in range(1, len(ids))]] for ids in ends]
    return [
        TokenExample(id=str(row), input_ids=tuple(ids), loss_mask=tuple(mask))
        for row, (ids, mask) in enumerate(zip(ends, masks, strict=True))
    ]


def gradients(model: PreTrainedModel, examples: list[TokenExample], *, together: bool, merged: bool) -> list[Tensor]:
    """Of rows together as training reads them, or each by itself through the model's own attention."""
    reader = Reader(model, pad_id=1, dtype=torch.float32)
    reader.packed &= together
    model.zero_grad()
    for part in [examples] if together else [[example] for example in examples]:
        batch = reader.collate_examples(part, merged=merged)
        cross_entropy(reader.logp(batch), batch.weight_N)[0].backward()
        # What a preference model reads of it.
        (reader.hidden(reader.collate([one.input_ids for one in part]))[batch.last_R] ** 3).sum().backward()
    return [one.grad.clone() for one in model.parameters() if one.grad is not None]


@pytest.mark.parametrize(("merged", "short"), [(True, attention.SHORT_ROWS), (False, 0)], ids=["written out", "fused"])
@every_kind
def test_gradients_of_rows_that_share_are_those_of_separate_rows(
    zoo: Zoo, kind: str, merged: bool, short: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attention in both ways; logits whole, and in pieces."""
    monkeypatch.setattr(attention, "SHORT_ROWS", short)
    monkeypatch.setattr(forward, "LOGITS", forward.LOGITS if short else 2000)
    model = zoo(kind).model
    assert gap_of_gradients(model, merged=merged) < 1e-5
    assert packs(model) == (KINDS[kind].decoder in ("lean", "packed")), "others are padded"


def gap_of_gradients(model: PreTrainedModel, *, merged: bool) -> float:
    """Of rows together to rows by themselves, as a share."""
    together = gradients(model, family(), together=True, merged=merged)
    apart = gradients(model, family(), together=False, merged=merged)
    scale = torch.cat([one.flatten() for one in apart]).norm()
    return float(
        torch.cat([(one - other).flatten() for one, other in zip(together, apart, strict=True)]).norm() / scale
    )


@pytest.mark.parametrize("kind", ["llama", "gemma2", "gpt_oss"])
def test_and_with_the_attention_that_a_gpu_has(zoo: Zoo, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Written out by torch; with windows, capped scores and, by masks, sinks."""
    monkeypatch.setattr(flex_attention, "_validate_device", lambda *_: None)
    monkeypatch.setattr(forest, "_by_flex", lambda _query, _value, how: how.sinks_H is None)
    assert gap_of_gradients(zoo(kind).model, merged=True) < 1e-5


@every_kind
def test_the_model_is_alive(zoo: Zoo, kind: str) -> None:
    """A random model that said the same whatever it read would pass all other tests."""
    ids = rows()[0]
    other = [*ids[:-3], ids[-3] + 1, *ids[-2:]]
    assert float((whole(zoo(kind), ids)[-1] - whole(zoo(kind), other)[-1]).abs().max()) > 0.001


@every_kind
def test_the_check_says_what_it_is(zoo: Zoo, kind: str) -> None:
    loaded = zoo(kind)
    summary = check_model(loaded.path)
    expected = KINDS[kind]
    assert summary == ModelSummary(
        path=str(loaded.path),
        architecture=type(loaded.model).__name__,
        parameters=loaded.model.num_parameters(),
        context=expected.context,
        vocabulary=len(tiny_tokenizer()) + 8,
        dialogue="human-assistant",
        decoder=expected.decoder,
        shared=None if expected.decoder in ("lean", "packed") else 0,
    )
    assert LocalModel(loaded).max_context == summary.context


def test_a_model_that_also_reads_images_is_trained_on_text(zoo: Zoo) -> None:
    """Gemma 3 wants to be told which tokens are images, but only while it is trained."""
    loaded = zoo("gemma3")
    ids = tuple(rows()[0])
    example = TokenExample(id="text", input_ids=ids, loss_mask=(False, *[True] * (len(ids) - 1)))
    loaded.model.train()
    try:
        reader = Reader(loaded.model, pad_id=1, dtype=torch.float32)
        logits = reader.logits(reader.collate_examples([example]))
        PreferenceModel(loaded.model)(*pad_with_mask([ids], 1, CPU)).sum().backward()
    finally:
        loaded.model.eval()
    torch.testing.assert_close(logits.log_softmax(-1), whole(loaded, list(ids))[:-1], atol=1e-3, rtol=1e-3)


@pytest.mark.parametrize("kind", ["gpt2", "gpt_neo", "mpt", "mistral", "jamba", "openai-gpt"])
def test_a_short_prompt_beside_a_long_one_may_use_its_whole_context(kind: str) -> None:
    """Padding and all, the batch is then wider than the context, and than the tables that some models hold."""
    places = 24
    shape = {key: places if value == PLACES else value for key, value in KINDS[kind].shape.items()}
    tokenizer = tiny_tokenizer()
    tokenizer.eos_token = None  # nobody ends early
    network = zoo_model(replace(KINDS[kind], shape=shape))
    network.config.eos_token_id = network.generation_config.eos_token_id = None
    model = LocalModel(LoadedModel(model=network, tokenizer=tokenizer, path=Path(kind)))
    asked = [
        SampleRequest(prompt=text, seed=row, max_new_tokens=20) for row, text in enumerate(["x" * 20, *["y" * 4] * 6])
    ]
    written = model.sample(asked)
    assert [one.tokens for one in written] == [places - 20, *[20] * 6]
    assert written == [model.sample([request])[0] for request in asked]
    options = (" (A)", " (B) and more of it")
    scored = [ScoreRequest(prompt="x" * 20, options=("a", "b")), ScoreRequest(prompt="y", options=options)]
    for request, one in zip(scored, score(model, scored), strict=True):
        assert one.logprobs == pytest.approx(score(model, [request])[0].logprobs, abs=1e-4)
