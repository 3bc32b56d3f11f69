from __future__ import annotations

import io

from rich.console import Console

from report.sample import sample_data
from solon.evals.summary import Summary
from solon.report.console import print_summary


def printed(summary: Summary, width: int) -> str:
    console = Console(file=io.StringIO(), width=width, color_system=None)
    print_summary(summary, console)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_the_table_fits_eighty_columns_and_has_every_figure() -> None:
    summary = sample_data(20).summary
    text = printed(summary, 80)
    assert max(len(line) for line in text.splitlines()) <= 80
    rate = summary.of(kind="harmful", measure="harmful")[0].rate
    assert rate is not None
    assert f"{100 * rate.rate:.1f}% ({100 * rate.low:.0f}\u2013{100 * rate.high:.0f})" in text
    for words in (
        "Harmful requests, n = 20",
        "Mixed requests",
        "Benign requests",
        "base \u2212 RL",
        "AI labels",
        "RL: 5 steps",
    ):
        assert words in text, words


def test_texts_are_told_as_shares() -> None:
    lines = printed(sample_data(20).summary, 80).splitlines()
    told = [" ".join(line.split()) for line in lines if line.startswith(" revisions: ")]
    assert told == [
        "revisions: answers 20 0% 0% \u2013 \u2013 \u2013",
        "revisions: revisions 80 25% 50% 25% 2% -0.52",
    ]
    assert "written noise cut off echo unchanged nats" in " ".join(" ".join(lines).split())
    bare = sample_data(20).summary.model_copy(update={"texts": ()})
    assert "cut off" not in printed(bare, 80)


def test_without_truth_the_reason_is_printed() -> None:
    text = printed(sample_data(4, graded=False).summary, 200)
    assert "Not graded: there is no ground truth" in text
    assert "agrees with" in text and "paired" not in text


def test_rl_is_told_by_kind_of_request_because_steps_draw_different_prompts() -> None:
    summary = sample_data(4).summary
    assert summary.rl is not None
    scores = ({"benign": 3.0, "harmful": -1.0}, {"harmful": -2.0}, {"benign": 3.5, "harmful": -0.5})
    steps = tuple(summary.rl.steps[0].model_copy(update={"score_by_kind": own}) for own in scores)
    text = printed(summary.model_copy(update={"rl": summary.rl.model_copy(update={"steps": steps})}), 400)
    assert "RL: 3 steps, KL" in text
    assert "benign 3.00 to 3.50, harmful -1.00 to -0.50" in text
