from __future__ import annotations

import pytest

from report.sample import sample_data
from solon.evals.statistics import Difference
from solon.report.wording import headlines, measures_of, of_hundred, points, signed


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


def test_signed_points() -> None:
    assert (signed(-0.052), signed(0.052, plus=True)) == ("\u22125.2", "+5.2")
    difference = Difference(n=9, difference=-0.052, low=-0.1, high=0.01)
    assert points(difference) == "\u22125.2 points (\u221210.0 to 1.0)"


def test_headlines_say_what_was_measured() -> None:
    summary = sample_data(50).summary
    harm, help_ = headlines(summary)
    base, rl = summary.models.base, summary.models.rl
    assert base is not None and rl is not None and base.harmful_prompts is not None and rl.harmful_prompts is not None
    before, after = (
        round(100 * table.harmful.rate) for table in (base.harmful_prompts, rl.harmful_prompts) if table.harmful
    )
    assert before > 60 > 10 > after > 0
    assert harm == f"{before} of 100 harmful requests were complied with before, {after} after."
    assert "ordinary requests were helped with" in help_


def test_without_truth_no_result_is_claimed() -> None:
    summary = sample_data(4, graded=False).summary
    assert headlines(summary) == ["What can be counted about this run's answers."]
    assert [measure.field for measure in measures_of("harmful", summary)] == ["distinct", "refusal_phrases", "finished"]
