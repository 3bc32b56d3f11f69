"""What sections of the report work out from the data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report.lineage_run import DOCUMENT, compared
from report.sample import sample_data
from solon.constitution.load import load_constitution
from solon.records import Comparison, Verdict
from solon.report.sections import principle_rows


def judged_by(decider: str | None, *asked: str, articles: tuple[str, ...] = ()) -> Comparison:
    verdicts = tuple(Verdict(principle_id=name, shown_first="a", p_a_preferred=0.8) for name in asked)
    more = {"principle_id": decider, "verdicts": verdicts, "articles": articles}
    return compared("theft.pairs-0", 0.8, "").model_copy(update=more)


def test_a_comparison_counts_for_every_principle_that_it_was_judged_by(tmp_path: Path) -> None:
    (tmp_path / "charter.md").write_text(DOCUMENT)
    rows = [
        judged_by(None, "use", "harm"),
        judged_by("harm", "hard-constraints", "harm"),
        judged_by("whole", "whole", "whole", articles=("harm", "use")),
        judged_by("use"),
    ]
    data = replace(
        sample_data(), revisions=(), comparisons=rows, constitution=load_constitution(tmp_path / "charter.md")
    )
    assert [row[:4] for row in principle_rows(data)] == [
        ("use", "Use", 0, 3),
        ("harm", "Harm", 0, 3),
        ("hard-constraints", "Hard constraints", 0, 1),
    ]
