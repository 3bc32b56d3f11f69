"""Every experiment is drawn from made-up results: each claim has the paper's sign and counts what it paired."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest
from safetensors.numpy import save_file

from figures.made import COUNTS, QUESTIONS, SEEDS, At, Made, Shares
from solon.embedded.card import WEIGHTS
from solon.figures.catalogue import EXPERIMENTS, chosen
from solon.figures.figure import Claim, Held
from solon.figures.picture import picture
from solon.figures.results import Texts
from solon.figures.tasks import Arm, Place

PAPER: dict[str, dict[At, Shares]] = {
    "rl-cai": {0: (0.3, 0.9), 10: (0.7, 1.0), "base": (0.1, 0.5), "sl": (0.5, 0.5), "rl": (0.9, 0.9)},
    "rl-cai-cot": {0: (0.3, 0.9), 10: (1.0, 0.5)},
    "helpful-rl": {0: (0.5, 0.5), 10: (0.0, 1.0)},
    "hard-labels": {"rl": (0.3, 0.3)},
}
"""Harmless and helpful at each place of an arm, as the paper found it."""
REVISED: dict[At, Shares] = {0: (0.0, 1.0), 1: (0.6, 0.5), 2: (1.0, 0.0)}
SMALL_DIRECT: dict[At, Shares] = {0: (0.0, 1.0), 1: (0.1, 0.5), 2: (0.2, 0.0)}
RIGHT = {
    ("pairs", "at once"): 1.0,
    ("hard-pairs", "at once"): 0.2,
    ("hard-pairs", "reasoned"): 0.6,
    ("harm", "at once"): 0.2,
}


def level(figure: str, arm: str, at: At) -> Shares:
    if figure in ("5", "6", "7"):
        return (SMALL_DIRECT if arm.startswith("direct-by") else REVISED)[at]
    name = arm if arm in PAPER and at in PAPER[arm] else "rl-cai"
    return PAPER[name][{"dpo": "rl"}.get(str(at), at) if isinstance(at, str) else at]


def right(model: str, task: str, way: str) -> float:
    large = RIGHT.get((task, way), 1.0)
    return large if model.endswith("large") else 0.5 * large


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    home = tmp_path_factory.mktemp("made")
    for name, parameters in (("large", 3_000_000), ("small", 1_000_000)):
        (home / name).mkdir()
        save_file({"weight": np.zeros(parameters, dtype=np.int8)}, home / name / WEIGHTS)
    models = tuple(str(home / name) for name in ("large", "small"))
    return Place(runs=home, dose="figures", seeds=SEEDS, models=models, items=QUESTIONS)


def as_the_paper(place: Place, key: str) -> Made:
    return Made(
        place=place,
        level=lambda arm, at: level(key, arm, at),
        right=right,
        golds=(0.3, 0.6, 0.9, 0.5, 0.2),
        label=lambda arm: (0.99, 0.6) if arm.endswith("cot") else (0.8, 0.8),
    )


def the_other_way(place: Place, key: str) -> Made:
    def turned(arm: str, at: At) -> Shares:
        harmless, helpful = level(key, arm, at)
        return 1 - harmless, 1 - helpful

    return Made(
        place=place,
        level=turned,
        right=lambda *asked: 1 - right(*asked),
        golds=(0.9, 0.7, 0.5, 0.3, 0.1),
        label=lambda arm: (0.99, 1.0) if arm.endswith("cot") else (0.55, 1.0),
    )


def claims(made: Made, key: str) -> list[Claim]:
    (one,) = chosen([key])
    return list(one.figure(made, []).claims)


CHANGES = [one.key for one in EXPERIMENTS if one.key not in ("6", "over-training")]


@pytest.mark.parametrize("key", CHANGES)
def test_each_claim_has_the_sign_of_the_paper(place: Place, key: str) -> None:
    for made, expected in ((as_the_paper(place, key), "agrees"), (the_other_way(place, key), "disagrees")):
        found: dict[str, Held] = {one.what: one.held for one in claims(made, key) if one.expected != "same"}
        assert set(found.values()) <= {expected}, found


def test_claims_of_no_difference(place: Place) -> None:
    (principles,) = claims(as_the_paper(place, "6"), "6")
    assert principles.held == "agrees" and principles.n == len(SEEDS) * (COUNTS["harmful"] + COUNTS["mixed"])
    fewer_are_worse = dataclasses.replace(
        as_the_paper(place, "6"), level=lambda arm, at: (1.0 if arm == "rl-cai" else 0.5, 0.5)
    )
    (worse,) = claims(fewer_are_worse, "6")
    assert (worse.held, worse.found and worse.found.value) == ("disagrees", 0.5)
    assert claims(as_the_paper(place, "7"), "7")[0].held == "agrees"
    assert [one.held for one in claims(as_the_paper(place, "9"), "9")] == ["agrees"]
    assert [one.held for one in claims(the_other_way(place, "9"), "9")] == ["disagrees"]


def test_the_monitor_keeps_what_was_best_or_what_was_last(place: Place) -> None:
    made = as_the_paper(place, "over-training")
    assert [one.held for one in claims(made, "over-training")] == ["agrees"] * 3
    assert [one.n for one in claims(made, "over-training")] == [100, 2, 100], "half of 100 prompts of two seeds"
    rising = dataclasses.replace(made, golds=(0.3, 0.6, 0.9, 0.88))
    end, reward, gain = claims(rising, "over-training")
    assert (end.held, reward.held, gain.held) == ("undecided", "undecided", "agrees")
    assert end.found and end.found.value == 0.0 and gain.found and gain.found.value == pytest.approx(0.58)


def test_labels_and_their_preference_models_are_surer_than_right(place: Place) -> None:
    """Labels are 80% sure and right in 80%, hard ones 100% sure and clamped ones 60%."""
    figure = chosen(["labels"])[0].figure(as_the_paper(place, "labels"), [])
    (panel,) = [one for one in figure.panels if one.key == "sureness"]
    labels, models = panel.lines
    assert [point.y for point in labels.points] == pytest.approx([0.0, 0.2, -0.2])
    assert [point.y for point in models.points] == pytest.approx([0.0] * 3)
    assert all(point.low < point.y < point.high for line in panel.lines for point in line.points)  # type: ignore[operator]


def test_dpo_has_a_curve_from_sl_cai(place: Place) -> None:
    figure = chosen(["algorithms"])[0].figure(as_the_paper(place, "algorithms"), [])
    (line,) = next(one for one in figure.panels if one.key == "dpo").lines
    assert [point.x for point in line.points] == [0, 1, 3] and line.points[0].y < line.points[1].y


def test_harmfulness_is_shown_at_both_temperatures(place: Place) -> None:
    class Begun(Made):
        def likeliest(self, arm: Arm) -> dict[int, dict[int, Texts]]:
            return {0: self.looks(arm)[0]}

    (absolute,) = chosen(["10"])
    figure = absolute.figure(as_the_paper(place, "10"), [])
    assert [panel.key for panel in figure.panels] == ["t1", "t0"] and len(figure.claims) == 6
    begun = absolute.figure(Begun(**vars(as_the_paper(place, "10"))), [])
    assert [len(panel.lines[0].points) for panel in begun.panels] == [2, 1]


def test_claims_count_the_prompts_that_both_have(place: Place) -> None:
    few = dataclasses.replace(as_the_paper(place, "algorithms"), asked=10)
    found = {one.what.split(",")[0]: one.n for one in claims(few, "algorithms")}
    every = len(SEEDS) * sum(COUNTS.values())
    some = len(SEEDS) * 10 * len(COUNTS)
    assert found.pop("good answers by GRPO") == every and set(found.values()) == {some}
    soft_less_hard = claims(dataclasses.replace(as_the_paper(place, "labels"), asked=10), "labels")[-1]
    assert soft_less_hard.n == some, "those with hard labels are fewer"
    ordinary = claims(as_the_paper(place, "11"), "11")
    assert [one.n for one in ordinary] == [len(SEEDS) * QUESTIONS, 2 * len(SEEDS) * QUESTIONS]


@pytest.mark.parametrize("key", [one.key for one in EXPERIMENTS])
def test_what_has_no_values_is_not_measured_and_no_fault(place: Place, key: str) -> None:
    class Nothing(Made):
        def prompts(self, arm: object, seed: int) -> dict:
            return {}

        def _of(self, arm: object, at: At, seed: int) -> dict[str, str]:
            return {}

    nothing = Nothing(place=place, level=lambda arm, at: (0.0, 0.0), right=right, asked=0)
    (one,) = chosen([key])
    figure = one.figure(nothing, [])
    assert figure.outcome == "not measured" and figure.ours == "Nothing was measured."
    assert {claim.held for claim in figure.claims} == {"not measured"} and not figure.panels
    assert "It was not measured." in picture(figure)
    assert json.loads(figure.model_dump_json())["claims"][0]["found"] is None
