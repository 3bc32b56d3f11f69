"""What page and console say of a monitor: where RL was best, where and why it was stopped, and what is not known."""

from __future__ import annotations

import pytest

from report.sample import sample_data
from solon.config.monitor import Gold, MonitorSection
from solon.config.training import RLSection
from solon.evals.checks import Check
from solon.evals.statistics import Mean
from solon.evals.stopping import Monitoring, ending_of
from solon.report import wording
from solon.report.html import render_report
from solon.report.run.monitor import monitor_charts


def check(step: int, share: float, proxy: float, evasion: float | None = 0.1) -> Check:
    gold_of = [float(place < 10 * share) for place in range(10)]
    return Check(
        step=step,
        gold=Mean(mean=share, low=share - 0.1, high=share + 0.1),
        gold_of=tuple(gold_of),
        unmeasured=2,
        proxy=Mean(mean=proxy, low=proxy - 1, high=proxy + 1),
        kl=Mean(mean=step / 10, low=0, high=step / 5),
        tokens=20.0,
        finished=1.0,
        boilerplate=0.25,
        opening=0.5,
        evasion=evasion,
    )


def monitoring(*, gold: Gold = "oracle", stop: bool = True, evasion: float | None = 0.1) -> Monitoring:
    figures = ((0, 0.6, -1.0), (10, 0.9, 0.0), (20, 0.2, 1.0))
    checks = tuple(check(*one, evasion) for one in figures)
    ending = ending_of(checks, RLSection(monitor=MonitorSection(patience=1, stop=stop)))
    assert ending is not None
    return Monitoring(gold=gold, checks=checks, ending=ending)


def test_the_words() -> None:
    assert wording.monitored(monitoring(evasion=None)) == [
        "Gold (answers without fault, by the oracle) on 10 prompts that neither RL nor its reward learnt from: "
        "0.60 (0.50 to 0.70) before RL, 0.90 (0.80 to 1.00) at best, after step 10, 0.20 (0.10 to 0.30) after step 20",
        "Reward of the same answers: \u22121.00 (\u22122.00 to 0.00) before RL, 0.00 (\u22121.00 to 1.00) at best, "
        "after step 10, 1.00 (0.00 to 2.00) after step 20",
        "RL stopped after step 20: gold fell from 0.900 after step 10 to 0.200, while the reward rose from 0.00 to "
        "1.00; the weights are those after step 10",
        "Gold of 6 answers could not be measured",
        "Evasion was not measured, for want of a benign prompt",
    ]
    watching = wording.monitored(monitoring(gold="judge", stop=False))
    assert watching[0].startswith("Gold (preferred to the answers before RL) on")
    assert watching[2].startswith("RL would have been stopped after step 20: gold fell")


@pytest.mark.parametrize(("stop", "name"), [(True, "stopped"), (False, "parted")])
def test_curves_are_marked_where_rl_was_best_and_where_it_was_stopped(stop: bool, name: str) -> None:
    summary = sample_data(20).summary.model_copy(update={"monitor": monitoring(stop=stop, evasion=None)})
    charts = monitor_charts(summary)
    assert [chart.key for chart in charts] == ["monitor-gold", "monitor-proxy", "monitor-kl", "monitor-drift"]
    for chart in charts:
        assert [(mark.x, mark.name) for mark in chart.marks] == [(10, "best"), (20, name)]
    assert [one.name for one in charts[-1].series] == ["Words of other answers", "Commonest opening"]
    assert charts[0].rows()[1] == ("10", ["90.0% (80.0 to 100.0)"])
    assert monitor_charts(sample_data(20).summary) == []


def test_scores_of_a_preference_model_are_no_shares() -> None:
    summary = sample_data(20).summary.model_copy(update={"monitor": monitoring(gold="model")})
    assert [chart.percent for chart in monitor_charts(summary)] == [False, False, False, True]


def test_the_page_shows_them() -> None:
    data = sample_data(20)
    page = render_report(data)
    assert "Watched from outside" not in page
    monitored = data.summary.model_copy(update={"monitor": monitoring()})
    page = render_report(type(data)(**vars(data) | {"summary": monitored}))
    assert "Watched from outside" in page and "RL stopped after step 20: gold fell" in page and ">stopped<" in page
