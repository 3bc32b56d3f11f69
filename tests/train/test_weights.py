"""Weights in bfloat16: small steps count, as in float32; a resumed training ends with the same bytes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from solon.config.training import PreferenceSection, SFTSection
from solon.models.heads import PreferenceModel, ScalarHead
from solon.train.loop import LossOf, Trainer
from solon.train.preference import PreferenceExample, margins, train_preference
from solon.train.weights import rounded_at_random
from tiny_models import tiny_model, tiny_tokenizer
from train.keeping import train_context

BFLOAT16 = ["bfloat16+masters", "bfloat16+stochastic"]
UP = 2.0**-7
"""From 1 to the next number that bfloat16 knows."""


def section(weights: str, **how: Any) -> SFTSection:
    return SFTSection(**{"learning_rate": 1e-3, "warmup_steps": 0, "weights": weights, **how})


def ones(count: int) -> nn.Linear:
    layer = nn.Linear(count, 1, bias=False)
    nn.init.ones_(layer.weight)
    return layer


def towards(layer: nn.Module, goal: float) -> LossOf:
    """Half the squared distance of every weight."""

    def loss_of(rows: list[int]) -> tuple[Tensor, Tensor]:
        return sum(((one.float() - goal) ** 2).sum() for one in layer.parameters()) / 2, torch.ones(())

    return loss_of


def trained(layer: nn.Module, how: SFTSection, steps: int, *, seed: int = 0) -> Trainer:
    trainer = Trainer({"model": layer}, how, seed=seed)
    for _ in range(steps):
        trainer.update([[0]], towards(layer, 0.75), weight=1, tokens=1)
    return trainer


def test_where_rounding_stalls_both_choices_reach_the_loss_of_float32() -> None:
    """A step of 1e-3 is lost in a bfloat16 weight of 1, whose neighbors are 1 - 0.0039 and 1 + 0.0078."""
    stalled = torch.ones(64, dtype=torch.bfloat16).requires_grad_()
    adamw = torch.optim.AdamW([stalled], lr=1e-3, weight_decay=0.0)
    for _ in range(300):
        stalled.grad = stalled.detach() - 0.75
        adamw.step()
    assert stalled.unique().tolist() == [1.0]
    losses = {}
    for weights in ("float32", *BFLOAT16):
        layer = ones(64)
        trained(layer, section(weights), 300)
        assert layer.weight.dtype == (torch.float32 if weights == "float32" else torch.bfloat16)
        losses[weights] = float(((layer.weight.detach().float() - 0.75) ** 2).mean())
    assert losses["float32"] < 1e-3
    assert all(losses[weights] < 1e-3 for weights in BFLOAT16), losses


def test_masters_are_what_float32_learns_and_weights_are_their_roundings() -> None:
    plain, rounded = ones(4), ones(4)
    constant = {"max_grad_norm": 1e9, "learning_rate": 1e-4}

    def falling(layer: nn.Linear) -> LossOf:
        return lambda _: (layer.weight.float().sum(), torch.ones(()))

    exact = Trainer({"model": plain}, section("float32", **constant))
    trainer = Trainer({"model": rounded}, section("bfloat16+masters", **constant))
    for _ in range(100):
        exact.update([[0]], falling(plain), weight=1, tokens=1)
        trainer.update([[0]], falling(rounded), weight=1, tokens=1)
    assert torch.equal(trainer.tensors()["weights.model.weight"], plain.weight)
    assert torch.equal(rounded.weight, plain.weight.bfloat16())


def test_rounding_at_random_by_hand() -> None:
    """A quarter of the way up: up where the 16 bits drawn are at least three quarters of 2 ** 16."""
    drawn = torch.randint(1 << 16, (1000,), dtype=torch.int32, generator=torch.Generator().manual_seed(3))
    for sign in (1.0, -1.0):
        x = torch.full((1000,), sign * (1 + UP / 4))
        found = rounded_at_random(x, torch.Generator().manual_seed(3))
        assert found.dtype == torch.bfloat16
        up = drawn >= 3 << 14
        assert torch.equal(found.float(), torch.where(up, sign * (1 + UP), sign * 1.0))


def test_the_mean_of_rounding_at_random_is_the_number() -> None:
    """Within five standard errors; and what bfloat16 knows is left alone."""
    draw = torch.Generator().manual_seed(0)
    for x in (1 + UP / 4, -3.3, 1e-20, 0.1):
        many = torch.full((40_000,), x)
        found = rounded_at_random(many, draw).double()
        below, above = found.min(), found.max()
        assert float(below) <= many[0] <= float(above) and len(found.unique()) == 2
        assert abs(float(found.mean()) - float(many[0])) < 5 * float(above - below) / 2 / 200
    known = torch.tensor([0.0, 1.0, -2.5, 1e-20, 3e38]).bfloat16()
    assert torch.equal(rounded_at_random(known.float(), draw), known)


@pytest.mark.parametrize("weights", BFLOAT16)
def test_a_resumed_training_ends_with_the_same_bytes(weights: str) -> None:
    one, other, another = ones(64), ones(64), ones(64)
    how = section(weights)
    trainer = trained(one, how, 5)
    resumed = Trainer({"model": other}, how)
    resumed.load(trainer.tensors(), trainer.updates)
    assert torch.equal(other.weight, one.weight) and resumed.tensors().keys() == trainer.tensors().keys()
    for runner, layer in ((trainer, one), (resumed, other)):
        for _ in range(5):
            runner.update([[0]], towards(layer, 0.75), weight=1, tokens=1)
    assert torch.equal(other.weight, one.weight)
    trained(another, how, 10, seed=1)
    assert torch.equal(another.weight, one.weight) == (weights == "bfloat16+masters"), "the seed rounds at random alone"


@pytest.mark.parametrize("weights", BFLOAT16)
def test_what_does_not_learn_keeps_its_type(weights: str) -> None:
    """Positions are turned by buffers: in bfloat16 a second training of the same model would turn them otherwise."""
    model = tiny_model("llama")
    before = {name: one.clone() for name, one in model.named_buffers()}
    Trainer({"model": model}, section(weights))
    after = dict(model.named_buffers())
    assert any("inv_freq" in name for name in before) and after.keys() == before.keys()
    assert all(after[name].dtype == one.dtype and torch.equal(after[name], one) for name, one in before.items())


@pytest.mark.parametrize("weights", BFLOAT16)
def test_a_head_stays_float32_and_weights_tied_or_idle_keep_their_state(weights: str) -> None:
    model = nn.ModuleDict({"head": ScalarHead(3, bias=True), "used": ones(3), "idle": ones(3)})
    trainer = Trainer({"model": model}, section(weights))

    def loss_of(_: list[int]) -> tuple[Tensor, Tensor]:
        return model["head"](model["used"].weight).sum() + model["used"].weight.float().sum(), torch.ones(())

    update = trainer.update([[0]], loss_of, weight=1, tokens=1)
    assert update.grad_norm == pytest.approx(7**0.5)  # head: 1, 1, 1, bias 1; used: 1, 1, 1
    assert {one.dtype for one in model["head"].parameters()} == {torch.float32}
    assert {model[name].weight.dtype for name in ("used", "idle")} == {torch.bfloat16}
    assert not any("idle" in name for name in trainer.tensors() if not name.startswith("weights."))
    assert all(one.dtype == torch.float32 for name, one in trainer.tensors().items() if name.startswith("exp_avg"))


@pytest.mark.parametrize("weights", BFLOAT16)
def test_a_preference_model_learns_and_is_saved_in_bfloat16(weights: str, tmp_path: Path) -> None:
    """Also where the run's arithmetic is float32: a model computes in no wider type than its weights."""
    pair = PreferenceExample(
        id="a", prompt_id="a", a_ids=(100, 120, 7, 0), b_ids=(100, 120, 8, 9, 0), p_a_preferred=1.0
    )
    model = PreferenceModel(tiny_model())
    how = PreferenceSection.model_validate({"learning_rate": 3e-3, "warmup_steps": 0, "epochs": 12, "weights": weights})
    steps = train_preference(model, [pair], how, train_context(pad_id=1))
    assert steps[-1].loss < 0.5 * steps[0].loss
    assert model.save(tmp_path / "pm", tiny_tokenizer()), "as transformers' own class"
    kept = load_file(tmp_path / "pm" / "model.safetensors")
    assert {one.dtype for one in kept.values()} == {torch.bfloat16}
    loaded = PreferenceModel.load(tmp_path / "pm", dtype=torch.bfloat16, device="cpu")
    assert margins(loaded, [pair], pad_id=1) == pytest.approx(margins(model, [pair], pad_id=1), abs=0.05)
