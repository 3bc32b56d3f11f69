"""Pretraining in small: it learns, it repeats, and a kill leaves no trace."""

from __future__ import annotations

import math
from functools import cache
from pathlib import Path
from typing import Any, cast

import pytest
import torch
from transformers import PreTrainedTokenizerFast

from solon.artifacts.checkpoint import Checkpoints
from solon.artifacts.manifest import Tally
from solon.embedded.batches import Batch, corpus_batches
from solon.embedded.corpus import VERDICT_WEIGHT, documents
from solon.embedded.network import LlamaTraining
from solon.embedded.pretrain import PretrainState, build_model, pretrain, sharpen, weighted_loss
from solon.embedded.recipe import PretrainConfig
from solon.embedded.tokenizer import PAD, train_tokenizer
from solon.errors import DivergedError
from solon.prompting.comparison import OPTIONS
from solon.prompting.dialogue import DELIMITERS
from solon.train.losses import token_logprobs
from train.keeping import NoCheckpoints

TINY = PretrainConfig(
    hidden=32,
    layers=2,
    heads=2,
    intermediate=64,
    corpus_tokens=8_000,
    batch_tokens=256,
    chunk_documents=16,
    warmup_steps=5,
    checkpoint_chunks=1,
)
Weights = dict[str, torch.Tensor]


@cache
def tokenizer() -> PreTrainedTokenizerFast:
    return train_tokenizer(0, sample=10)


def taught(config: PretrainConfig = TINY, checkpoints: Any = None) -> tuple[Weights, list[PretrainState]]:
    told: list[PretrainState] = []
    model = build_model(config, tokenizer())
    pretrain(model, config, "world", tokenizer(), told.append, checkpoints or NoCheckpoints())
    return dict(model.state_dict()), told


@cache
def undisturbed() -> tuple[Weights, list[PretrainState]]:
    return taught()


def same(one: Weights, two: Weights) -> bool:
    return one.keys() == two.keys() and all(torch.equal(one[name], two[name]) for name in one)


def mean_loss(model: Any, batch: Batch) -> float:
    total, weight = weighted_loss(LlamaTraining(model), batch)
    return (total / weight).item()


def on_disk(folder: Path) -> Checkpoints:
    return Checkpoints(folder / "checkpoints", run=folder, tally=Tally(), committed=lambda: None)


def test_it_learns() -> None:
    _, told = undisturbed()
    steps = [now for now in told if now.step]
    assert steps[0].loss == pytest.approx(math.log(len(tokenizer())), abs=1.0)
    assert steps[-1].loss < steps[0].loss - 0.2


def test_what_is_reported() -> None:
    _, told = undisturbed()
    last = told[-1]
    assert told[0] == PretrainState(seconds=0.0, loss=told[0].loss) and last.step == len({now.step for now in told}) - 1
    assert TINY.corpus_tokens <= last.tokens < TINY.corpus_tokens + TINY.batch_tokens
    assert last.seconds > 0 and [now.seconds for now in told] == sorted(now.seconds for now in told)


def test_the_same_seed_gives_the_same_bytes_and_another_does_not() -> None:
    weights, _ = undisturbed()
    assert {tensor.dtype for tensor in weights.values()} == {torch.bfloat16}
    assert same(taught()[0], weights)
    assert not same(taught(TINY.model_copy(update={"seed": 1}))[0], weights)


@pytest.mark.parametrize("step", [2, 15, 30])
def test_a_kill_leaves_no_trace(step: int, tmp_path: Path) -> None:
    weights, whole = undisturbed()

    def die(now: PretrainState) -> None:
        if now.step == step:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        pretrain(build_model(TINY, tokenizer()), TINY, "world", tokenizer(), die, on_disk(tmp_path))
    again, told = taught(checkpoints=on_disk(tmp_path))
    assert same(again, weights)
    assert (told[-1].step, told[-1].tokens, told[-1].loss) == (whole[-1].step, whole[-1].tokens, whole[-1].loss)
    if step > 10:
        assert len(told) < len(whole), "it began again instead of going on"


def test_a_loss_that_is_no_number_stops_everything() -> None:
    with pytest.raises(DivergedError, match=r"pretraining diverged at step \d+"):
        taught(TINY.model_copy(update={"learning_rate": 1e30, "max_grad_norm": 1e30}))


def test_batches_hold_every_document_once_with_its_weights() -> None:
    batches = corpus_batches(TINY, tokenizer(), 1)
    rows = sorted(
        (tokenizer().decode(ids[ids != tokenizer().pad_token_id].tolist()), round(weights.sum().item(), 3))
        for batch in batches
        for ids, weights in zip(batch.ids_BT, batch.weight_BT, strict=True)
    )
    docs = list(documents(TINY.seed, TINY.chunk_documents, TINY.chunk_documents))
    assert [text for text, _ in rows] == sorted("".join(segment.text for segment in doc) for doc in docs)
    total = sum(
        segment.weight * len(tokenizer()(segment.text, add_special_tokens=False)["input_ids"])
        for doc in docs
        for segment in doc
    )
    assert sum(weight for _, weight in rows) == pytest.approx(total, rel=1e-4)
    assert all(batch.ids_BT.numel() <= TINY.batch_tokens or len(batch.ids_BT) == 1 for batch in batches)


def test_padding_does_not_change_the_loss() -> None:
    model = build_model(TINY, tokenizer()).eval()
    batch = min(corpus_batches(TINY, tokenizer(), 0), key=lambda batch: batch.ids_BT.numel())

    def pad(values: torch.Tensor, value: int) -> torch.Tensor:
        return torch.nn.functional.pad(values, (0, 7), value=value)

    padded = type(batch)(ids_BT=pad(batch.ids_BT, 1), tied_BT=pad(batch.tied_BT, 1), weight_BT=pad(batch.weight_BT, 0))
    with torch.no_grad():
        assert mean_loss(model, padded) == pytest.approx(mean_loss(model, batch), rel=1e-5)


def test_the_loss_is_the_weighted_mean() -> None:
    """Weights 1 and 3 on losses a and b: (a + 3 b) / 4."""
    model = build_model(TINY, tokenizer()).eval()
    batch, ids_BT = corpus_batches(TINY, tokenizer(), 0)[0], torch.tensor([[20, 30, 40]])
    with torch.no_grad():
        logp_TV = model(input_ids=ids_BT).logits[0].log_softmax(-1)
        a, b = -logp_TV[0, ids_BT[0, 1]].item(), -logp_TV[1, ids_BT[0, 2]].item()
        weighted = type(batch)(ids_BT=ids_BT, tied_BT=ids_BT, weight_BT=torch.tensor([[9.0, 1.0, 3.0]]))
        assert mean_loss(model, weighted) == pytest.approx((a + 3 * b) / 4, rel=1e-5)


def test_where_two_tokens_are_as_good_the_loss_is_the_mean_of_both() -> None:
    """Weights 1 and 3 on losses a and (b + c) / 2."""
    model = build_model(TINY, tokenizer()).eval()
    batch, ids_BT = corpus_batches(TINY, tokenizer(), 0)[0], torch.tensor([[20, 30, 40]])
    tied_BT = ids_BT.clone()
    tied_BT[0, 2] = 11 if ids_BT[0, 2] != 11 else 12
    with torch.no_grad():
        logp_TV = model(input_ids=ids_BT).logits[0].log_softmax(-1)
        a, b, c = (-logp_TV[at, ids[0, at + 1]].item() for at, ids in ((0, ids_BT), (1, ids_BT), (1, tied_BT)))
        weighted = type(batch)(ids_BT=ids_BT, tied_BT=tied_BT, weight_BT=torch.tensor([[9.0, 1.0, 3.0]]))
        assert mean_loss(model, weighted) == pytest.approx((a + 3 * (b + c) / 2) / 4, rel=1e-5)


def test_equal_answers_reach_the_batches_as_ties() -> None:
    docs = list(documents(TINY.seed, 0, TINY.chunk_documents))
    ties = [segment for doc in docs for segment in doc if segment.tied is not None]
    batches = corpus_batches(TINY, tokenizer(), 0)
    assert ties and sum(int((b.ids_BT != b.tied_BT).sum()) for b in batches) == len(ties)
    one, other = (tokenizer()(option, add_special_tokens=False)["input_ids"] for option in OPTIONS)
    for batch in batches:
        at = batch.ids_BT != batch.tied_BT
        assert {*batch.ids_BT[at].tolist(), *batch.tied_BT[at].tolist()} <= {*one, *other}
        assert (batch.weight_BT[at] == VERDICT_WEIGHT).all()


def test_the_network_computes_what_transformers_does() -> None:
    """Logits where they are asked for, and every gradient."""
    batch = corpus_batches(TINY, tokenizer(), 0)[0]
    model = build_model(TINY, tokenizer()).eval()
    ids_BT, at_M = batch.ids_BT, (batch.ids_BT.flatten() != tokenizer().pad_token_id).nonzero().squeeze(1)[1::5]
    found: list[tuple[torch.Tensor, list[torch.Tensor]]] = []
    for logits_MV in (
        model(input_ids=ids_BT).logits.flatten(0, 1)[at_M],
        LlamaTraining(model).logits(ids_BT, at_M),
    ):
        token_logprobs(logits_MV, ids_BT.flatten()[at_M]).sum().backward()
        found.append((logits_MV.detach(), [cast(torch.Tensor, one.grad).clone() for one in model.parameters()]))
        model.zero_grad()
    (expected_MV, gradients), (logits_MV, own) = found
    assert torch.allclose(logits_MV, expected_MV, atol=1e-5)
    for one, other in zip(own, gradients, strict=True):
        assert (one - other).norm() < 1e-5 * other.norm()


def test_attention_starts_near_the_identity() -> None:
    model: Any = build_model(TINY, tokenizer())
    for layer in model.model.layers:
        q, k = layer.self_attn.q_proj.weight, layer.self_attn.k_proj.weight
        v, o = layer.self_attn.v_proj.weight, layer.self_attn.o_proj.weight
        assert torch.cosine_similarity(q.flatten(), k.flatten(), dim=0) > 0.95
        assert torch.cosine_similarity(v.T.flatten(), o.flatten(), dim=0) > 0.95


def test_sharpening_multiplies_every_logit() -> None:
    model = build_model(TINY, tokenizer()).eval()
    ids_BT = torch.arange(20, 30).unsqueeze(0)
    with torch.no_grad():
        before_BTV = model(input_ids=ids_BT).logits
        after_BTV = sharpen(model, 1.25)(input_ids=ids_BT).logits
    assert torch.allclose(after_BTV, 1.25 * before_BTV, rtol=1e-5, atol=1e-6)


def test_the_finished_model_is_sharpened() -> None:
    """After the last step, so that training knows nothing of it."""
    plain, _ = taught(TINY.model_copy(update={"sharpness": 1.0}))
    sharp, _ = undisturbed()
    changed = [name for name in plain if not torch.equal(plain[name], sharp[name])]
    assert changed == ["model.norm.weight"]
    assert torch.allclose(sharp[changed[0]], 1.25 * plain[changed[0]])


def test_the_tokenizer_has_one_token_for_each_delimiter_and_option() -> None:
    one = {text: tokenizer().encode(text, add_special_tokens=False) for text in (*DELIMITERS, *OPTIONS)}
    assert all(len(ids) == 1 for ids in one.values()) and len({ids[0] for ids in one.values()}) == len(one)
    assert tokenizer().eos_token == "<|end|>" and tokenizer().pad_token == PAD


@pytest.mark.parametrize("text", ["Just hit the baker.", "  Zwölf Boxkämpfer\n\tjagen 🪜 ", "\n\nHuman: (A) ( B)", ""])
def test_any_text_can_be_written_in_it(text: str) -> None:
    assert tokenizer().decode(tokenizer().encode(text, add_special_tokens=False)) == text


def test_the_tokenizer_is_the_same_for_the_same_seed() -> None:
    assert train_tokenizer(0, sample=50).get_vocab() == train_tokenizer(0, sample=50).get_vocab()
