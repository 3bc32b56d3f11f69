"""Figures are drawn from what runs have kept: a run of seconds, of a random model, read by the experiments."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.tiny_run import TINY, WORLD, rows, run_in
from solon.config.monitor import MonitorSection
from solon.config.training import RLSection
from solon.evals.checks import Check
from solon.evals.seeds import over_seeds
from solon.evals.statistics import mean
from solon.evals.stopping import Ending, ending_of
from solon.figures.arms import OVER, RL
from solon.figures.experiments.labels import TAKEN, label_loss
from solon.figures.experiments.over_training import OVER_TRAINING, _gold_change, _kept, half, looks_that_count
from solon.figures.experiments.revisions import MORE_REVISIONS
from solon.figures.results import HARMFUL, Results
from solon.figures.tasks import Place, finished
from solon.records import Prompt
from solon.world.oracle import judge
from tiny_models import tiny_model_folder

SEEDS = (0, 1)


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Results:
    """Two seeds of one run, which is called as both arms are."""
    home = tmp_path_factory.mktemp("figures")
    model = tiny_model_folder(home / "tiny", max_position_embeddings=2048)
    dose = home / "dose.toml"
    own = [*TINY, *WORLD, "rl.monitor.every=1"]
    dose.write_text('extends = "world"\n' + "".join(f"{line}\n" for line in as_toml(own)))
    place = Place(runs=home / "runs", dose=str(dose), seeds=SEEDS, models=(str(model),), items=4)
    for seed in SEEDS:
        config = place.config(RL, seed)
        run_in(place.run(RL, seed), config, until="rl", isolate=False)
        place.run(OVER, seed).symlink_to(place.run(RL, seed))
    return Results(place=place)


def as_toml(settings: list[str]) -> list[str]:
    """Lines `key = value` of settings such as those of --set."""
    pairs = (text.split("=", 1) for text in settings)
    return [f"{key} = {value if value[0].isdigit() else json.dumps(value)}" for key, value in pairs]


def test_a_run_is_done_up_to_its_stage_with_its_settings_and_its_model(results: Results) -> None:
    place = results.place
    assert finished(place, RL, 0, "rl") and not finished(place, RL, 0, "answers-rl")
    assert not finished(place, OVER, 0, "rl"), "it has other settings"
    other = Place(**{**vars(place), "models": (str(tiny_model_folder(place.runs / "other", seed=1)),)})
    assert not finished(other, RL, 0, "rl")


def test_figure_5_is_of_every_chain(results: Results) -> None:
    drawn = MORE_REVISIONS.draw(results)
    found: dict[int, dict[str, float]] = {}
    for seed in SEEDS:
        run = results.place.run(RL, seed)
        prompts = {row["id"]: Prompt.model_validate(row) for row in rows(run, "prompts", "prompts-red-team")}
        last = {row["prompt_id"]: row["rounds"][-1]["revision"] for row in rows(run, "revisions")}
        assert {prompt.kind for prompt in prompts.values()} == set(HARMFUL)
        found[seed] = {name: float(not judge(prompts[name].turns, text).harmful) for name, text in last.items()}
    (harmless, *_) = drawn.panels[0].lines
    assert [point.x for point in harmless.points] == [0, 1, 2]
    assert harmless.points[-1].y == over_seeds(found).value
    assert harmless.points[-1].n == sum(map(len, found.values()))
    assert len(drawn.claims) == 4


def test_over_training_is_what_the_monitor_saw(results: Results) -> None:
    figure = OVER_TRAINING.figure(results, ["a command"])
    gold, proxy = (panel.lines[0].points for panel in figure.panels)
    checks = [rows(results.place.run(OVER, seed), "models/rl", "checks") for seed in SEEDS]
    assert [point.x for point in gold] == [check["step"] for check in checks[0]]
    for number, point in enumerate(proxy):
        assert point.y == pytest.approx(sum(own[number]["proxy"]["mean"] for own in checks) / len(SEEDS))
    for number, point in enumerate(gold):
        assert point.y == pytest.approx(sum(own[number]["gold"]["mean"] for own in checks) / len(SEEDS))
    assert figure.commands == ("a command",) and figure.seeds == SEEDS


def test_likeliest_answers_and_margins_are_those_that_the_run_kept(results: Results) -> None:
    found = results.likeliest(RL)
    assert list(found) == list(results.looks(RL)) and all(list(own) == list(SEEDS) for own in found.values())
    run = results.place.run(RL, 1)
    kept = {row["prompt_id"]: row["text"] for row in rows(run, "models/rl", "likeliest-00000")}
    assert found[0][1] == kept and kept.keys() == results.looks(RL)[0][1].keys()
    assert kept != results.looks(RL)[0][1]
    margins = results.margins(RL, 0)
    assert margins and margins == {
        row["id"]: row["margin"] for row in rows(results.place.run(RL, 0), "models/pm", "held-out")
    }


def test_what_an_acting_monitor_would_keep() -> None:
    checks = [Check.model_construct(step=step) for step in (0, 5, 10)]
    stopped = Ending(best=5, stopped=10, why="gold fell", kept=10)
    last = stopped.model_copy(update={"stopped": None, "why": None})
    for ending, step in ((stopped, 5), (last, 10)):
        kept = _kept(checks, ending)
        assert kept is not None and kept.step == step


def test_the_best_of_several_looks_that_are_alike_is_no_better_than_the_last() -> None:
    """Gold is drawn anew for each look: at 2.5% beyond one end, 5 of 200 findings should agree."""
    rng, section = np.random.default_rng(0), RLSection(monitor=MonitorSection(stop=False, patience=1))
    whole, halves = 0, 0
    for _ in range(200):
        golds = [tuple(map(float, rng.random(100) < 0.6)) for _ in range(12)]
        checks = [
            Check.model_construct(**_QUIET, step=5 * at, gold=mean(own), gold_of=own) for at, own in enumerate(golds)
        ]
        for_all, for_half = ending_of(checks, section), ending_of(half(checks, 0), section)
        assert for_all and for_half
        whole += _agrees(checks, for_all)
        halves += _agrees(half(checks, 1), for_half)
    assert whole > 10, "chosen and measured by the same answers, the best look is flattered"
    assert halves <= 10


_QUIET = {"kl": mean([0.0]), "proxy": mean([0.0]), "tokens": 1.0, "boilerplate": 0.0, "evasion": None}


def _agrees(checks: list[Check], ending: Ending) -> bool:
    kept, end, _ = looks_that_count({0: checks}, {0: ending})
    return _gold_change("less than what is kept", end, kept, below=True).held == "agrees"


def test_the_loss_of_a_label_as_it_is_taken() -> None:
    soft, hard, clamped = (TAKEN[name][1] for name in ("soft", "hard", "clamped"))
    assert label_loss(0.9, 1.0, soft) == pytest.approx(0.105, abs=1e-3)
    assert label_loss(0.9, 1.0, clamped) == pytest.approx(0.511, abs=1e-3)
    assert label_loss(0.9, 0.0, clamped) == pytest.approx(0.916, abs=1e-3)
    assert label_loss(0.9, 1.0, hard) == pytest.approx(0.010, abs=1e-3)
    assert label_loss(0.9, 0.5, hard) == pytest.approx(2.308, abs=1e-3)
