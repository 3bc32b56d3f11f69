"""DPO learns what it is told, also the reverse, as far from its reference as the label says."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from math import log
from typing import Any

import pytest
import torch
from transformers import PreTrainedModel

from solon.config.training import DPOSection
from solon.train.dpo import answer_logps, train_dpo
from solon.train.loop import TrainStep
from solon.train.losses import token_logprobs
from solon.train.preference import PreferenceExample
from tiny_models import FAMILIES, Family, tiny_model
from train.keeping import Killed, MemoryCheckpoints, killer, same_bytes, train_context

PAD = 1
CONTEXT = train_context(pad_id=PAD)


def _pairs(count: int = 16, *, p: float = 0.9) -> list[PreferenceExample]:
    """Answers of two and three tokens, the first of which they share. Every second pair prefers the second."""
    rows = []
    for n in range(count):
        prompt = (100 + n // 2, 120)
        a, b = (*prompt, 200, 210 + n, 0), (*prompt, 200, 230 + n, 240 + n % 4, 0)
        row = PreferenceExample(id=f"c{n}", prompt_id=f"p{n // 2}", a_ids=a, b_ids=b, p_a_preferred=p)
        rows.append(row if n % 2 else _swapped(row))
    return rows


def _swapped(row: PreferenceExample) -> PreferenceExample:
    return replace(row, a_ids=row.b_ids, b_ids=row.a_ids, p_a_preferred=1 - row.p_a_preferred)


def _section(**changes: object) -> DPOSection:
    settings = {"epochs": 4, "batch_size": 6, "learning_rate": 1e-3, "warmup_steps": 2, "checkpoint_steps": 4}
    return DPOSection.model_validate(settings | changes)


def _train(
    policy: PreTrainedModel, pairs: list[PreferenceExample], section: DPOSection, **changes: Any
) -> list[TrainStep]:
    """With itself as the reference."""
    return train_dpo(policy, policy, pairs, section, train_context(pad_id=PAD, **changes))


def _margins(policy: PreTrainedModel, reference: PreTrainedModel, pairs: list[PreferenceExample]) -> list[float]:
    """How much further a's log-ratio is than b's, in nats."""
    one, other = (answer_logps(model, pairs, _section(), CONTEXT) for model in (policy, reference))
    ratio_P2 = one - other
    return [float(margin) for margin in ratio_P2[:, 0] - ratio_P2[:, 1]]


@pytest.mark.parametrize("family", FAMILIES)
def test_log_probabilities_are_those_of_each_answer_alone(family: Family) -> None:
    """Of what follows the beginning that both share, which cancels from margins."""
    model, pairs = tiny_model(family), _pairs()
    together = answer_logps(model, pairs, _section(micro_batch_tokens=24), CONTEXT)
    for pair, both in zip(pairs, together.tolist(), strict=True):
        for ids, logp in zip((pair.a_ids, pair.b_ids), both, strict=True):
            with torch.no_grad():
                each = token_logprobs(model(torch.tensor([ids])).logits[0, :-1], torch.tensor(ids[1:]))
            assert logp == pytest.approx(float(each[2:].sum()), abs=1e-4)


@pytest.mark.parametrize("loss", ["sigmoid", "ipo"])
@pytest.mark.parametrize("family", FAMILIES)
def test_it_learns_sixteen_pairs_by_heart_and_with_flipped_labels_the_reverse(family: Family, loss: str) -> None:
    pairs = _pairs()
    flipped = [replace(row, p_a_preferred=1 - row.p_a_preferred) for row in pairs]
    for labels, accuracy in ((pairs, 1.0), (flipped, 0.0)):
        policy, reference = tiny_model(family), tiny_model(family)
        _train(policy, labels, _section(epochs=20, batch_size=16, loss=loss, beta=0.5))
        found = zip(pairs, _margins(policy, reference, pairs), strict=True)
        right = [(margin > 0) == (row.p_a_preferred > 0.5) for row, margin in found]
        assert sum(right) / len(right) == accuracy


@pytest.mark.parametrize(("loss", "margin"), [("sigmoid", log(4) / 0.5), ("ipo", 0.6 / (2 * 0.5))])
def test_it_goes_as_far_from_its_reference_as_label_and_beta_say(loss: str, margin: float) -> None:
    pairs = [_swapped(row) if row.p_a_preferred < 0.5 else row for row in _pairs(2, p=0.8)]
    policy, reference = tiny_model("llama"), tiny_model("llama")
    _train(policy, pairs, _section(epochs=150, batch_size=2, loss=loss, beta=0.5))
    assert _margins(policy, reference, pairs) == pytest.approx([margin, margin], abs=0.15)


@pytest.mark.parametrize(("loss", "start"), [("sigmoid", log(2)), ("ipo", 1 / (2 * 0.1) ** 2)])
def test_a_policy_that_is_its_reference_begins_at_a_loss_that_no_label_changes(loss: str, start: float) -> None:
    first, *_ = _train(tiny_model("llama"), _pairs(p=0.97), _section(loss=loss))
    assert first.loss == pytest.approx(start, rel=1e-5)


def test_another_reference_is_another_goal() -> None:
    """The reference stays as it is, and is asked before the first step alone."""
    policy, other = tiny_model("llama"), tiny_model("llama", seed=5)
    frozen = deepcopy(other)
    first, *_ = train_dpo(policy, other, _pairs(), _section(), CONTEXT)
    assert same_bytes(other, frozen) and abs(first.loss - log(2)) > 1e-3


def test_swapping_answers_and_label_trains_the_same_policy() -> None:
    one, other = tiny_model("llama"), tiny_model("llama")
    want = _train(one, _pairs(), _section())
    got = _train(other, [_swapped(row) for row in _pairs()], _section())
    assert [step.loss for step in got] == pytest.approx([step.loss for step in want], rel=1e-4)


def test_the_size_of_micro_batches_changes_nothing_but_rounding() -> None:
    want = _train(tiny_model("llama"), _pairs(), _section())
    got = _train(tiny_model("llama"), _pairs(), _section(micro_batch_tokens=12))
    assert [step.loss for step in got] == pytest.approx([step.loss for step in want], rel=1e-4)


@pytest.mark.parametrize("at", [3, 4, 11])
def test_killed_and_resumed_ends_with_the_bytes_of_an_undisturbed_run(at: int) -> None:
    """The policy that a resumed training is given is the reference again, though its own weights are further."""
    undisturbed, resumed, checkpoints = tiny_model("llama"), tiny_model("llama"), MemoryCheckpoints()
    want = _train(undisturbed, _pairs(), _section())
    with pytest.raises(Killed):
        _train(tiny_model("llama"), _pairs(), _section(), checkpoints=checkpoints, progress=killer(at))
    got = _train(resumed, _pairs(), _section(), checkpoints=checkpoints)
    assert same_bytes(resumed, undisturbed) and got == want
