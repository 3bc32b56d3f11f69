"""Operations of training: by hand, beside torch's own counter, and whatever is computed twice once."""

from __future__ import annotations

import copy
from itertools import combinations

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from solon.config.training import LoraSection, SFTSection
from solon.models.adapters import add_adapters, linear_layers
from solon.models.inputs import body_of
from solon.train.batches import TokenExample
from solon.train.flops import FlopCounter, seen
from solon.train.forward import Reader
from solon.train.loop import Trainer
from solon.train.losses import cross_entropy
from solon.train.parallel import Group

ROWS = [[5, 6, 7, 8], [5, 6, 7, 9, 10]]
"""Side by side nine tokens; what they share is three."""
LAYERS, WIDTH = 2, 32


def _model() -> PreTrainedModel:
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=64,
            hidden_size=WIDTH,
            intermediate_size=64,
            num_hidden_layers=LAYERS,
            num_attention_heads=4,
            attn_implementation="eager",
        )
    ).eval()


def _update(model: PreTrainedModel, counter: FlopCounter, *, recompute: bool = False) -> float:
    """What a step on the last two tokens of each row costs."""
    reader = Reader(model, pad_id=0, dtype=torch.float32)
    trainer = Trainer({"model": model}, SFTSection(gradient_checkpointing=recompute))
    examples = [TokenExample.answered(f"r{n}", row[:-2], row[-2:]) for n, row in enumerate(ROWS)]

    def loss_of(rows: list[int]) -> tuple[torch.Tensor, torch.Tensor]:
        batch = reader.collate_examples([examples[row] for row in rows])
        return cross_entropy(reader.logp(batch), batch.weight_N)

    before = counter.total
    trainer.update([[0, 1]], loss_of, weight=4, tokens=9)
    return counter.total - before


def test_a_step_costs_six_per_weight_and_token_and_attention_for_each_pair() -> None:
    """Packed, six tokens are read, and the head reads four times, once for each that counts."""
    model, counter = _model(), FlopCounter()
    counter.count(model)
    body = sum(layer.weight.numel() for layer in linear_layers(model).values())
    head, tokens, predicted, pairs = 64 * WIDTH, 6, 4, (1 + 2 + 3) + 4 + (4 + 5)
    attention = 3 * 4 * LAYERS * WIDTH * pairs
    assert _update(model, counter) == 6 * (body * tokens + head * predicted) + attention


def test_what_models_share_counts_once() -> None:
    """A preference model beside the policy's weights has its body."""
    model, counter = _model(), FlopCounter()
    counter.count(model)
    once = _update(model, counter)
    counter.count(body_of(model))
    assert _update(model, counter) == once


def test_a_copy_is_counted_like_what_it_was_copied_from() -> None:
    model, counter = _model(), FlopCounter()
    counter.count(model)
    twin = copy.deepcopy(model)
    counter.count(twin)
    assert _update(twin, counter) == _update(model, counter) > 0


def test_all_processes_are_added_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The other one has computed 5, and then nothing."""
    others = iter([5.0, 0.0])
    monkeypatch.setattr(Group, "gather", lambda _self, own: [own, next(others)])
    model, counter = _model(), FlopCounter(group=Group(0, 2))
    counter.sampled(model, read=0, drawn=1)
    head = 2 * 64 * WIDTH
    assert counter.total == head
    assert counter.add_up() == counter.total == head + 5
    counter.sampled(model, read=0, drawn=1)
    assert counter.add_up() == 2 * head + 5


def test_without_a_gradient_a_third() -> None:
    model, counter = _model(), FlopCounter()
    counter.count(model)
    with torch.no_grad():
        reader = Reader(model, pad_id=0, dtype=torch.float32)
        reader.hidden(reader.collate(ROWS))
    body, pairs = sum(layer.weight.numel() for layer in linear_layers(model).values()), 19
    assert counter.total == 2 * body * 6 + 4 * LAYERS * WIDTH * pairs


def test_beside_torchs_own_counter() -> None:
    """One row, so that nothing is shared or padded; torch counts whole attention tables, so products alone."""
    model, counter = _model(), FlopCounter()
    counter.count(model)
    ids = torch.tensor([ROWS[1]])
    torchs = FlopCounterMode(display=False)
    with torchs:
        model(ids, attention_mask=torch.ones_like(ids)).logits.sum().backward()
    products = {str(name): count for name, count in torchs.get_flop_counts()["Global"].items()}
    linear = sum(count for name, count in products.items() if name in ("aten.mm", "aten.addmm"))
    assert counter.total - 3 * 4 * LAYERS * WIDTH * 15 == linear


def test_layers_that_are_computed_again_count_once() -> None:
    totals = []
    for recompute in (False, True):
        model, counter = _model(), FlopCounter()
        counter.count(model)
        totals.append(_update(model, counter, recompute=recompute))
    assert totals[0] == totals[1]


def test_adapters_cost_six_and_the_weights_beside_them_four() -> None:
    pytest.importorskip("peft", reason="no peft (pip install 'solon[lora]')")
    model, counter = _model(), FlopCounter()
    body, head = sum(layer.weight.numel() for layer in linear_layers(model).values()), 64 * WIDTH
    add_adapters(model, LoraSection(rank=4), seed=0)
    counter.count(model)
    own = sum(one.numel() for name, one in model.named_parameters() if "lora_" in name)
    first = 3 * WIDTH * WIDTH  # what enters the first layer's products has no gradient
    down = 3 * 4 * WIDTH  # nor does what enters the adapters beside them
    want = 6 * (4 * body - 2 * first) + 6 * (6 * own - 2 * down) + 4 * head * 4 + 3 * 4 * LAYERS * WIDTH * 19
    assert _update(model, counter) == want


def test_sampling_costs_two_for_what_was_read_and_a_head_for_what_was_drawn() -> None:
    model, counter = _model(), FlopCounter()
    body = sum(layer.weight.numel() for layer in linear_layers(model).values())
    counter.sampled(model, read=10, drawn=3)
    assert counter.total == 2 * (10 * body + 3 * 64 * WIDTH)


def test_conv1d_layers_are_linear() -> None:
    model, counter = GPT2LMHeadModel(GPT2Config(vocab_size=64, n_embd=WIDTH, n_layer=1, n_head=2)).eval(), FlopCounter()
    counter.count(model)
    with torch.no_grad():
        model(torch.tensor([[1, 2, 3]]), attention_mask=torch.ones(1, 3))
    assert counter.total == 2 * 3 * (12 * WIDTH * WIDTH + 64 * WIDTH) + 4 * WIDTH * 6


def test_whom_tokens_see() -> None:
    mask = torch.tensor([[True, True, False], [True, True, True]])
    assert seen({"attention_mask": mask}) == 9
    assert seen({"position_ids": torch.tensor([[0, 1, 1, 2]])}) == 8
    assert seen({}) == 0.0
    assert seen({"position_ids": torch.arange(4)}) == len(list(combinations(range(4), 2))) + 4
