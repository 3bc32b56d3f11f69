from __future__ import annotations

from dataclasses import replace

import pytest

from report.sample import sample_data
from solon.config.load import load_run_config
from solon.config.rewards import RewardsSection
from solon.evals.estimates import PairedDifference
from solon.report import wording
from solon.report.html import render_report
from solon.report.wording import headlines, judged_by, measures_of, of_hundred, points, signed


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.784, "78 of 100"),
        (0.003, "fewer than 1 of 100"),
        (0.0, "none of 100"),
        (1.0, "100 of 100"),
        (0.994, "99 of 100"),
        (0.996, "more than 99 of 100"),
        (0.005, "1 of 100"),
    ],
)
def test_of_hundred(share: float, said: str) -> None:
    assert of_hundred(share) == said


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ((), "by the first of 3 principles that decides"),
        (("judge.decide=mean",), "one principle each"),
        (("judge.decide=mean", "judge.principles=3"), "3 principles each"),
        (("judge.decide=precedence",), "article after article until one decides"),
        (("judge.draws=4",), "by the first of 4 principles that decides"),
        (("judge.decide=mean", "constitution.whole=true"), "by the constitution as a whole"),
    ],
)
def test_what_the_judge_goes_by_is_told_by_the_run_s_keys(settings: tuple[str, ...], said: str) -> None:
    config = load_run_config(None, settings)
    page = render_report(replace(sample_data(), config=config))
    assert f"The model compared pairs of its own answers, {said};" in page
    assert judged_by(None) == "by the constitution"


def test_signed_points() -> None:
    assert (signed(-0.052), signed(0.052, plus=True)) == ("\u22125.2", "+5.2")
    difference = PairedDifference(
        task="held-out",
        kind="harmful",
        grader="oracle",
        measure="harmful",
        first="base",
        second="sl",
        n=9,
        value=-0.052,
        low=-0.1,
        high=0.01,
        unscored=0,
    )
    assert points(difference) == "\u22125.2 points (\u221210.0 to 1.0)"


def test_headlines_say_what_was_measured() -> None:
    summary = sample_data(50).summary
    harm, help_ = headlines(summary)
    shares = [one.rate.rate for one in summary.of(kind="harmful", measure="harmful") if one.rate]
    before, after = round(100 * shares[0]), round(100 * shares[-1])
    assert before > 60 > 10 > after > 0
    assert harm == f"{before} of 100 harmful requests were complied with before, {after} after."
    assert "ordinary requests were helped with" in help_


def test_without_truth_no_result_is_claimed() -> None:
    summary = sample_data(4, graded=False).summary
    assert headlines(summary) == ["What can be counted about this run's answers."]
    assert [measure.name for measure in measures_of("harmful", summary)] == ["refusal_phrases", "finished", "distinct"]


def test_terms_of_the_reward_are_called_by_what_they_are() -> None:
    names = ("preference", "models.kind", "judge", "length")
    assert [wording.term_title(name) for name in names] == [
        *("Preference model", "Preference model kind", "Judge", "Length beyond its limits")
    ]
    terms = {name for name in RewardsSection.model_fields if name in wording.TERM_TITLES}
    plain = RewardsSection(**dict.fromkeys(terms, 1.0))
    assert terms == {*plain.of_models, *plain.of_texts}, "every term has a title"
