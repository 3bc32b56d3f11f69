"""What a training makes of labels: worked arithmetic, what stays when the answers are swapped, and TRL's formulas."""

from __future__ import annotations

import pytest
import torch
from pydantic import ValidationError
from torch.nn.functional import logsigmoid

from solon.config.training import DPOSection, PreferenceSection
from solon.train.labels import clamp, harden, smooth, target
from solon.train.losses import preference_loss

P = [0.0, 0.1, 0.49, 0.5, 0.51, 0.8, 1.0]
SETTINGS = [
    {},
    {"labels": "hard"},
    {"clamp": 0.6},
    {"smoothing": 0.2},
    {"labels": "hard", "clamp": 0.8, "smoothing": 0.25},
]


def test_worked_examples() -> None:
    assert [harden(p) for p in P] == [0, 0, 0, 0.5, 1, 1, 1]
    assert [clamp(p, 0.6) for p in P] == [0.4, 0.4, 0.49, 0.5, 0.51, 0.6, 0.6]
    assert [smooth(p, 0.1) for p in (0.0, 0.5, 0.75, 1.0)] == pytest.approx([0.1, 0.5, 0.7, 0.9])
    hard = PreferenceSection(labels="hard", clamp=0.8, smoothing=0.25)
    assert target(0.9, hard) == pytest.approx(0.65)
    assert [target(p, PreferenceSection()) for p in P] == P, "soft labels stay as they are"


@pytest.mark.parametrize("settings", SETTINGS)
@pytest.mark.parametrize("kind", [PreferenceSection, DPOSection])
def test_swapping_the_answers_swaps_the_label(settings: dict[str, object], kind: type[PreferenceSection]) -> None:
    section = kind.model_validate(settings)
    for p in P:
        assert target(1 - p, section) == pytest.approx(1 - target(p, section))
        assert (target(p, section) - 0.5) * (p - 0.5) >= 0, "never the other answer"


def test_margins_worked_example_and_swap() -> None:
    a, b, p, w = (torch.tensor([value]) for value in (1.0986123, 0.0, 0.9, 1.0))
    loss, weight = preference_loss(a, b, p, w, margin=1.0)
    assert (float(loss), float(weight)) == (pytest.approx(0.5848, abs=5e-5), 1.0)
    assert float(preference_loss(b, a, 1 - p, w, margin=1.0)[0]) == pytest.approx(float(loss), abs=1e-6)
    assert torch.equal(preference_loss(a, b, p, w)[0], preference_loss(a, b, p, w, margin=0.0)[0])


def test_with_hard_labels_it_is_the_margin_loss_of_others() -> None:
    """-log sigmoid(chosen - rejected - margin), as TRL and Llama 2 write it."""
    a, b = torch.randn(2, 16, generator=torch.Generator().manual_seed(0))
    p = torch.tensor([1.0, 0.0] * 8)
    chosen, rejected = torch.where(p > 0.5, a, b), torch.where(p > 0.5, b, a)
    loss, _ = preference_loss(a, b, p, torch.ones(16), margin=0.7)
    assert float(loss) == pytest.approx(float(-logsigmoid(chosen - rejected - 0.7).sum()), rel=1e-5)


def test_with_smoothed_hard_labels_it_is_the_smoothed_loss_of_others() -> None:
    """(1 - e) times the loss and e times that of the flipped pair, as TRL and cDPO write it."""
    margin = torch.randn(16, generator=torch.Generator().manual_seed(1))
    section, zero = PreferenceSection(labels="hard", smoothing=0.1), torch.zeros(16)
    p = torch.tensor([target(0.8, section)] * 16)
    loss, _ = preference_loss(margin, zero, p, torch.ones(16))
    assert float(loss) == pytest.approx(float(-(0.9 * logsigmoid(margin) + 0.1 * logsigmoid(-margin)).sum()), rel=1e-5)


@pytest.mark.parametrize("p", [0.2, 0.9])
def test_the_least_loss_is_at_the_log_odds_and_the_margins_share_beyond(p: float) -> None:
    d = torch.zeros(1, requires_grad=True)
    label, one = torch.tensor([p]), torch.ones(1)
    for _ in range(400):
        (slope,) = torch.autograd.grad(preference_loss(d, torch.zeros(1), label, one, margin=2.0)[0], d)
        d = (d - 2 * slope).detach().requires_grad_()
    assert d.item() == pytest.approx(torch.logit(label).item() + 2 * (2 * p - 1), abs=1e-3)


@pytest.mark.parametrize(
    ("key", "value"),
    [("labels", "harder"), ("clamp", 0.5), ("clamp", 1.1), ("smoothing", 0.5), ("smoothing", -0.1), ("margin", -1)],
)
def test_what_would_turn_labels_around_or_mean_nothing_is_refused(key: str, value: object) -> None:
    with pytest.raises(ValidationError, match=key):
        PreferenceSection.model_validate({key: value})


def test_settings_that_change_nothing_leave_older_stages_as_good() -> None:
    later = {"labels", "clamp", "smoothing", "margin", "temperature"}
    assert not later & PreferenceSection().result_settings().keys()
    changed = PreferenceSection(clamp=0.6, temperature="fit").result_settings()
    assert later & changed.keys() == {"clamp", "temperature"}
