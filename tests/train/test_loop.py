"""The shared loop: parity with torch.optim, k micro-batches = one batch, clipping, modules, divergence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

from solon.config.training import RLSection, SFTSection
from solon.errors import DivergedError
from solon.train.loop import LossOf, Trainer

SECTION = SFTSection(learning_rate=0.1, warmup_steps=4, weight_decay=0.1, max_grad_norm=0.5, betas=(0.8, 0.9), eps=1e-3)
X, Y = torch.randn(8, 3, generator=torch.Generator().manual_seed(0)), torch.arange(8.0)


def _linear() -> nn.Linear:
    layer = nn.Linear(3, 1)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[0.1, -0.2, 0.3]]))
        layer.bias.zero_()
    return layer


def _squared(layer: nn.Module) -> LossOf:
    def loss_of(rows: list[int]) -> tuple[Tensor, Tensor]:
        return ((layer(X[rows])[:, 0] - Y[rows]) ** 2).sum(), torch.tensor(float(len(rows)))

    return loss_of


def test_updates_equal_a_plain_torch_loop() -> None:
    ours, theirs = _linear(), _linear()
    trainer = Trainer({"model": ours}, SECTION)
    decaying = [{"params": [theirs.weight]}, {"params": [theirs.bias], "weight_decay": 0.0}]
    adamw = torch.optim.AdamW(decaying, lr=0.1, weight_decay=0.1, betas=(0.8, 0.9), eps=1e-3)
    for step in range(1, 7):
        update = trainer.update([list(range(8))], _squared(ours), weight=8, tokens=8)
        for group in adamw.param_groups:
            group["lr"] = 0.1 * min(1.0, step / 4)
        adamw.zero_grad()
        loss = ((theirs(X)[:, 0] - Y) ** 2).mean()
        loss.backward()
        norm = nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
        adamw.step()
        assert update.loss == pytest.approx(float(loss.detach()), rel=1e-5)
        assert update.grad_norm == pytest.approx(float(norm), rel=1e-5)
        assert update.learning_rate == pytest.approx(0.1 * min(1.0, step / 4))
    torch.testing.assert_close(ours.weight, theirs.weight)
    torch.testing.assert_close(ours.bias, theirs.bias)


@pytest.mark.parametrize(("where", "bias"), [("matrices", 1.0), ("all", 0.9)])
def test_a_bias_decays_only_if_all_weights_shall(where: str, bias: float) -> None:
    """Without a gradient of its own: 1 - 0.1 * 1."""
    layer = _linear()
    nn.init.ones_(layer.weight)
    nn.init.ones_(layer.bias)
    section = SFTSection(learning_rate=0.1, warmup_steps=0, weight_decay=1.0, weight_decay_on=where)
    Trainer({"model": layer}, section).update(
        [[0]], lambda _: (0.0 * (layer.weight.sum() + layer.bias.sum()), torch.ones(())), weight=1, tokens=1
    )
    assert layer.bias.tolist() == pytest.approx([bias]) and layer.weight.tolist() == [pytest.approx([0.9] * 3)]


def test_each_module_learns_at_its_own_rate_as_if_alone() -> None:
    """Two AdamW loops of torch's, side by side; neither sees the other's rate, gradients or clip."""
    section = RLSection(learning_rate=0.01, value_learning_rate=0.1, warmup_steps=4, max_grad_norm=0.5)
    ours = {"policy": _linear(), "value": _linear()}
    trainer = Trainer(ours, section)

    def both(rows: list[int]) -> tuple[Tensor, Tensor]:
        policy, weight = _squared(ours["policy"])(rows)
        return policy + 3.0 * _squared(ours["value"])(rows)[0], weight

    updates = [trainer.update([list(range(8))], both, weight=8, tokens=8) for _ in range(6)]
    assert [update.learning_rate for update in updates] == pytest.approx([0.0025, 0.005, 0.0075, *[0.01] * 3])
    for name, rate, factor in (("policy", 0.01, 1.0), ("value", 0.1, 3.0)):
        theirs = _linear()
        adamw = torch.optim.AdamW(theirs.parameters(), weight_decay=0.0)
        for step in range(1, 7):
            adamw.param_groups[0]["lr"] = rate * min(1.0, step / 4)
            adamw.zero_grad()
            (factor * (theirs(X)[:, 0] - Y) ** 2).mean().backward()
            nn.utils.clip_grad_norm_(theirs.parameters(), 0.5)
            adamw.step()
        torch.testing.assert_close(ours[name].weight, theirs.weight)


def test_unequal_micro_batches_give_the_gradient_of_the_whole_batch() -> None:
    whole, parts = _linear(), _linear()
    one = Trainer({"model": whole}, SECTION).update([list(range(8))], _squared(whole), weight=8, tokens=8)
    three = Trainer({"model": parts}, SECTION).update(
        [[7], [2, 0, 1], [3, 4, 5, 6]], _squared(parts), weight=8, tokens=8
    )
    assert three.loss == pytest.approx(one.loss, rel=1e-5)
    assert three.grad_norm == pytest.approx(one.grad_norm, rel=1e-5)
    torch.testing.assert_close(parts.weight, whole.weight)


def test_half_precision_weights_become_float32_and_dropout_is_off() -> None:
    model = nn.Sequential(nn.Linear(3, 1), nn.Dropout(0.5)).to(torch.bfloat16).train()
    Trainer({"model": model}, SECTION)
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    assert not model[1].training


def test_a_stage_begins_with_a_new_optimizer_and_the_weights_as_they_are() -> None:
    one, other = _linear(), _linear()
    trainer = Trainer({"model": one}, SECTION)
    trainer.update([list(range(8))], _squared(one), weight=8, tokens=8)
    other.load_state_dict(one.state_dict())
    trainer.begin(SECTION, lambda done: 0.5)
    update = trainer.update([list(range(8))], _squared(one), weight=8, tokens=8)
    assert update.learning_rate == pytest.approx(0.1 * 0.5 / 4)
    Trainer({"model": other}, SECTION.model_copy(update={"learning_rate": 0.05})).update(
        [list(range(8))], _squared(other), weight=8, tokens=8
    )
    assert torch.equal(one.weight, other.weight)


def test_state_put_back_continues_to_the_same_bytes_also_with_weights_that_had_no_gradient_yet() -> None:
    def build() -> tuple[nn.ModuleDict, Trainer]:
        model = nn.ModuleDict({"used": _linear(), "idle": _linear()})
        return model, Trainer({"model": model}, SECTION)

    def advance(model: nn.ModuleDict, trainer: Trainer, name: str) -> None:
        trainer.update([list(range(8))], _squared(model[name]), weight=8, tokens=8)

    first, trainer = build()
    for _ in range(3):
        advance(first, trainer, "used")
    second, resumed = build()
    resumed.load(trainer.tensors(), trainer.updates)
    assert resumed.tensors().keys() == trainer.tensors().keys()
    for model, runner in ((first, trainer), (second, resumed)):
        advance(model, runner, "idle")
        advance(model, runner, "used")
    for a, b in zip(first.parameters(), second.parameters(), strict=True):
        assert torch.equal(a, b)


def test_what_is_saved_does_not_change_when_training_goes_on() -> None:
    model = _linear()
    trainer = Trainer({"model": model}, SECTION)
    trainer.update([list(range(8))], _squared(model), weight=8, tokens=8)
    saved = trainer.tensors()
    kept = {name: tensor.clone() for name, tensor in saved.items()}
    trainer.update([list(range(8))], _squared(model), weight=8, tokens=8)
    assert all(torch.equal(saved[name], kept[name]) for name in kept)


def test_a_loss_that_is_not_finite_stops_training_before_the_weights_are_touched() -> None:
    model = _linear()
    trainer = Trainer({"model": model}, SECTION)
    with pytest.raises(DivergedError, match="diverged at update 1: loss nan"):
        trainer.update([[0]], lambda rows: (model(X[rows]).sum() * float("nan"), torch.ones(())), weight=1, tokens=1)
    assert torch.isfinite(model.weight).all()
