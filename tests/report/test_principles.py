"""Principles in the report: how often each was drawn, what it changed, and which conflict."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from report.lineage_run import DOCUMENT, compared
from report.sample import sample_data
from solon.constitution.load import load_constitution
from solon.evals.conflicts import Conflict, Principles
from solon.evals.grader import Score
from solon.evals.statistics import wilson
from solon.records import Comparison, Revision, RevisionRound, Verdict
from solon.report.run.principles import Matrix, heat, principle_rows


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
    assert [(row.id, row.title, row.revisions, row.comparisons) for row in principle_rows(data)] == [
        ("use", "Use", 0, 3),
        ("harm", "Harm", 0, 3),
        ("hard-constraints", "Hard constraints", 0, 1),
    ]


def test_what_a_principle_changed_mended_and_spoilt() -> None:
    """Three chains of one round: an answer with two faults gets one, one without gets two, one stays as it is."""
    data = sample_data(1)
    harm = {"before": (2, 1), "after": (0, 2), "same": (1, 1)}
    texts = {"before": "Better.", "after": "Worse.", "same": "First."}
    rows, scores = [], []
    names = ("harmful", "rude")
    for name, faults in harm.items():
        step = RevisionRound(principle_id="kind", critique=None, revision=texts[name], prompt_hash="")
        rows.append(Revision(id=name, prompt_id=name, initial="First.", rounds=(step,)))
        for number, count in enumerate(faults):
            values = {**dict.fromkeys(data.summary.graders[0].names("lower"), 0.0), **dict.fromkeys(names[:count], 1.0)}
            told = {"task": "revisions", "model": f"assistant@{number}", "item": name, "kind": "harmful"}
            scores.append(Score(**told, grader="oracle", values=values))
    found = {one.id: one for one in principle_rows(replace(data, revisions=rows, scores=scores))}["kind"]
    assert (found.revisions, found.share, found.expected) == (3, 1.0, 1 / 3)
    assert found.changed and found.changed.rate == 2 / 3
    assert found.mended and found.mended.rate == 1 / 2, "of the two whose answer had a fault before"
    assert found.spoilt and found.spoilt.rate == 1 / 3
    unknown = {one.id: one for one in principle_rows(replace(data, revisions=rows, scores=()))}["kind"]
    assert (unknown.mended, unknown.spoilt, unknown.changed) == (None, None, found.changed)


def test_labels_decide_by_ten_points_and_those_of_several_principles_by_none_alone() -> None:
    rows = [compared("theft.pairs-0", p, "kind") for p in (0.95, 0.55, 0.1, 0.5)]
    rows.append(judged_by(None, "kind", "open"))
    found = {one.id: one for one in principle_rows(replace(sample_data(1), comparisons=rows))}
    assert found["kind"].decided and found["kind"].decided.rate == 1 / 2 and found["kind"].comparisons == 5
    assert found["open"].decided is None and found["open"].comparisons == 1


def test_a_matrix_says_the_same_from_both_sides() -> None:
    one = Conflict(first="kind", second="open", n=4, distance=0.2, decided=3, conflicts=wilson(1, 3))
    matrix = Matrix.of(Principles(pairs=4, agreement={"open": None, "kind": None, "no-harm": None}, conflicts=(one,)))
    assert matrix.names == ["open", "kind", "no-harm"]
    assert matrix.cells == [[None, one, None], [one, None, None], [None, None, None]]
    assert [heat(rate) for rate in (0.0, 0.05, 0.2, 0.3, 1.0)] == [0, 1, 2, 3, 4]
