"""Agreement is one number: on the page, beside the principles, on the console, and counted from the export by anyone.

Conversations have the shape that once hid it: on most statements a few people voted who are in no group.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from collective.people.tables import known_range
from report.public_page import read_page, saved_table
from solon.cli.main import app
from solon.collective.conversation import Conversation
from solon.collective.opinion.consensus import in_every_group
from solon.collective.opinion.files import write_groups
from solon.collective.opinion.grouping import find_groups
from solon.collective.people.population import SUPPRESS_BELOW
from talks import random_rows, talk, write_export


def conversation(seed: int, *, apart: int) -> Conversation:
    """Two camps that agree on half of 24 statements. `apart`: people who cast 1 to 6 votes, too few for a group."""
    draws = np.random.default_rng(seed)
    rows = random_rows(seed, 120, 24, seen=0.7)
    for _ in range(apart):
        seen = draws.choice(24, size=draws.integers(1, 7), replace=False)
        rows.append([int(draws.integers(-1, 2)) if at in seen else None for at in range(24)])
    return talk(rows, moderated={3: -1, 4: 0}, meta=[5])


def counted(export: Path, groups: Path) -> tuple[int, int, int]:
    """Statements with a majority in every group, statements with 10 votes in each, and the one most agreed on."""
    votes = pd.read_csv(export / "participants-votes.csv", index_col="participant").iloc[:, 5:]
    comments = pd.read_csv(export / "comments.csv", index_col="comment-id")
    subject = comments.index[(comments["moderated"] >= 0) & ~comments["is-meta"]]
    votes = votes[[str(one) for one in subject]].join(pd.read_csv(groups, index_col="participant"), how="inner")
    cast = votes.groupby("group").count()
    agree = votes.set_index("group").eq(1).groupby("group").sum()
    ranked = (cast >= 10).all()
    majority = ranked & (agree > cast / 2).all()
    product = ((agree + 1) / (cast + 2)).prod()[majority]
    return int(majority.sum()), int(ranked.sum()), int(product.idxmax())


@pytest.mark.parametrize(("seed", "apart"), [(1, 0), (4, 9), (3, 40)])
def test_agreement_is_what_anyone_counts_from_the_export(tmp_path: Path, seed: int, apart: int) -> None:
    made = conversation(seed, apart=apart)
    export, groups = write_export(made, tmp_path / "export"), tmp_path / "groups.csv"
    found = find_groups(made)
    assert len(made.participants) - len(found.participant_ids) == apart
    write_groups(found, groups)
    agreed, ranked, first = counted(export, groups)
    assert 1 < agreed < ranked
    said = f"agreement: {agreed} of {ranked} statements with at least 10 votes in every group found a majority in every"
    page, given = tmp_path / "page.html", ("--no-stability", "--groups", str(groups))
    for command in (
        ("report", str(export), "-o", str(page), *given),
        ("principles", str(export), "-o", str(tmp_path / "town.toml"), "--ideas", "3", *given),
        ("analyse", str(export), "-o", str(tmp_path / "analysis"), "--no-stability"),
    ):
        result = CliRunner().invoke(app, ["collect", *command])
        assert result.exit_code == 0 and said in result.output, result.output
    text = read_page(page.read_text(encoding="utf-8")).text
    assert f"{agreed} of {ranked} statements found a majority in every group. First comes Statement {first} (" in text
    assert f"each group cast at least 10 votes: {ranked} of 22." in text


def test_what_every_group_rejects_stands_in_short_and_on_the_console(tmp_path: Path) -> None:
    """What all reject is agreement, too; once neither the opening nor two of the consoles spoke of it."""
    made = talk([[-1, -1, 1, 1 if at % 2 else -1] * 3 for at in range(40)])
    export, page = write_export(made, tmp_path / "export"), tmp_path / "page.html"
    table = tmp_path / "groups.csv"
    table.write_text("participant,group\n" + "".join(f"{at},{at % 2}\n" for at in range(40)), encoding="utf-8")
    command = ["collect", "report", str(export), "-o", str(page), "--no-stability", "--groups", str(table)]
    result = CliRunner().invoke(app, command)
    said = "rejection: 6 of 12 statements with at least 10 votes in every group were rejected by a majority of every"
    assert said in result.stdout, result.output
    opening = read_page(page.read_text(encoding="utf-8")).all("section")[0].text
    assert (
        "Rejection: A majority of every group disagrees with 6 of 12 statements. First comes Statement 0 ." in opening
    )


def test_where_a_group_is_too_small_the_console_counts_everyone_as_the_page_does(tmp_path: Path) -> None:
    """Four people can never cast ten votes: once the page spoke of 5 of 8 statements, and the console of 0 of 0."""
    made = talk([[1, 1, 1, 1, -1, -1, -1, 1]] * 40 + [[-1, -1, -1, -1, 1, 1, 1, 1]] * 4)
    export, groups = write_export(made, tmp_path / "export"), tmp_path / "groups.csv"
    write_groups(find_groups(made, k=2), groups)
    page, given = tmp_path / "page.html", ("--groups", str(groups))
    for command in (
        ("report", str(export), "-o", str(page), "--no-stability", *given),
        ("principles", str(export), "-o", str(tmp_path / "town.toml"), "--ideas", "3", *given),
        ("analyse", str(export), "-o", str(tmp_path / "analysis"), *given),
        ("consensus", str(export), "-o", str(tmp_path / "consensus.csv"), *given),
    ):
        result = CliRunner().invoke(app, ["collect", *command])
        assert result.exit_code == 0, result.output
        ranked = "of 8 statements with at least 10 votes"
        small = "some groups are too small to be counted apart"
        assert f"agreement: 5 {ranked} found a majority; {small}\n" in result.stdout, result.output
        assert f"rejection: 3 {ranked} were rejected by a majority: 4, 5, 6\n" in result.stdout, result.output
    text = read_page(page.read_text(encoding="utf-8")).text
    assert "5 of 8 statements found a majority. First comes Statement 7 (100% agree)." in text
    few = talk([[1, -1]] * 5 + [[-1, 1]] * 4)
    assert in_every_group(few, find_groups(few)).lines == (
        "agreement: no statement has the 10 votes that it takes to say",
    )


def test_what_is_withheld_is_counted_and_cannot_be_worked_out(tmp_path: Path) -> None:
    """A group whose every vote on some statements is one of few; the attack knows all that the page prints."""
    rows = random_rows(5, 60, 12) + [[-1] * 6 + [1] * 2 + [None] * 4] * 4 + [[1] * 6 + [None] * 6] * 12
    made = talk(rows)
    people = "".join(f"{person},{'abc'[(person >= 30) + (person >= 60)]}\n" for person in range(64))
    (tmp_path / "groups.csv").write_text(f"participant,group\n{people}", encoding="utf-8")
    page, export = tmp_path / "page.html", write_export(made, tmp_path / "export")
    command = ["report", str(export), "-o", str(page), "--no-stability", "--groups", str(tmp_path / "groups.csv")]
    assert CliRunner().invoke(app, ["collect", *command]).exit_code == 0
    read = read_page(page.read_text(encoding="utf-8"))
    cells = statements = 0
    for row in saved_table(read):
        own = [made.seen_PS[first:last, int(row["comment-id"])].sum() for first, last in ((0, 30), (30, 60), (60, 64))]
        counts = np.array([*own, int(row["votes"]) - sum(own)])
        hidden = np.array(
            [not row[f"group-{letter}-votes"] and count > 0 for letter, count in zip("abc", own, strict=True)]
        )
        cells, statements = cells + int(hidden.sum()), statements + bool(hidden.any())
        sums = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], dtype=bool)
        for at in np.flatnonzero((np.array(own) > 0) & (np.array(own) < SUPPRESS_BELOW)):
            low, high = known_range(counts, sums, np.array([False, *hidden]), int(at) + 1)
            assert hidden[at] and high - low >= SUPPRESS_BELOW
    said = re.search(r"(\d+) of 48 counts of votes are withheld, on (\d+) of 12 statements", read.text)
    assert said and (int(said[1]), int(said[2])) == (cells, statements) and cells > statements > 0
