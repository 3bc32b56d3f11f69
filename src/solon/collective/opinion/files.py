"""An analysis as a folder of tables: statements, representative statements, majorities, people, and a summary.

statements.csv       per statement: consensus, extremity, priority, place, polarisation, and votes by group
representative.csv   what sets each group apart
consensus.csv        what most people agree, or disagree, with
participants.csv     where each person stands and in which group: for the organiser only
summary.json         numbers of groups tried, methods, vote sign, counts, notes

The same conversation gives the same bytes, whatever the order of its export. Floats are written so that reading them
gives the same number.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import VOTE_SIGN, Floats
from solon.collective.opinion.consensus import Consensus, consensus_of, geometric_mean
from solon.collective.opinion.counts import Counts, counts_of, everybody
from solon.collective.opinion.polarisation import overall, split
from solon.collective.opinion.results import Agreement, Analysis, Groups, Majority, Representative
from solon.collective.tables import Cell, write_csv, write_file
from solon.errors import InputError, Where
from solon.records import Record

STATEMENT_COLUMNS = (
    "comment-id",
    "group_aware_consensus",
    "extremity",
    "priority",
    "projection_x",
    "projection_y",
    "polarisation",
    "split",
    "votes",
    "agrees",
    "disagrees",
    "passes",
    "moderated_out",
    "group_aware_low",
    "group_aware_high",
    "geometric_mean",
    "few_votes",
    "group_aware_disagreement",
)
FILES = ("statements.csv", "representative.csv", "consensus.csv", "participants.csv", "summary.json")
GROUP_COLUMNS = ("votes", "agrees", "disagrees", "passes")


class GroupSize(Record):
    """One opinion group in a summary."""

    name: str
    participants: int


class AnalysisSummary(Record):
    """`summary.json`: an analysis in figures."""

    version: int = 1
    """Of this file's form."""
    vote_sign: str = VOTE_SIGN
    """Of every file in the folder and of every axis."""
    method: str
    """Where the groups come from: `polis` or `ccai`, `stored`, or given from elsewhere."""
    seed: int | None
    """Of the start of the clustering; None for groups that were not found here."""
    k: int
    groups: tuple[GroupSize, ...]
    silhouettes: dict[int, float]
    """By number of groups tried; the largest was chosen unless a number was asked for."""
    axis_sign: str
    """The rule that gives each axis its direction."""
    variance: tuple[float, float]
    """Share of the votes' variance that each axis explains."""
    participants: int
    participants_in_groups: int
    statements: int
    statements_moderated_out: int
    """Rejected, or about the conversation itself."""
    votes: int
    """Latest votes, passes included."""
    polarisation: float
    """Between groups: mean over statements that are not moderated out, weighted by votes; 0 to 1."""
    split: float
    """Variance of votes, whatever the groups; the same mean; 0 to 1."""
    agreements: tuple[Agreement, ...]
    """With stored mathematics, where it was given."""
    notes: tuple[str, ...]


def summarise(analysis: Analysis, *, seed: int | None) -> AnalysisSummary:
    """The figures of `summary.json`."""
    talk, groups = analysis.conversation, analysis.groups
    shown = ~analysis.moderated_out_S
    counts = counts_of(talk, groups)
    clustered = Counts(agrees=counts.agrees[:, shown], disagrees=counts.disagrees[:, shown], seen=counts.seen[:, shown])
    everyone = everybody(talk.select(statements=shown))
    stored = groups.method == "stored"
    return AnalysisSummary(
        method=groups.method,
        seed=seed if groups.method in ("polis", "ccai") else None,
        k=groups.k,
        groups=tuple(
            GroupSize(name=name, participants=size) for name, size in zip(groups.names, groups.sizes, strict=True)
        ),
        silhouettes=groups.silhouettes,
        axis_sign="as stored" if stored else "the entry of largest magnitude is positive; of equals, the smallest id's",
        variance=(float(analysis.projection.variance_2[0]), float(analysis.projection.variance_2[1])),
        participants=len(talk.participants),
        participants_in_groups=len(groups.participant_ids),
        statements=len(talk.statements),
        statements_moderated_out=int((~shown).sum()),
        votes=int(talk.seen_PS.sum()),
        polarisation=overall(analysis.polarisation_S[shown], clustered),
        split=overall(split(everyone), everyone),
        agreements=analysis.agreements,
        notes=analysis.notes,
    )


def write_analysis(analysis: Analysis, folder: Path, *, seed: int = 0) -> AnalysisSummary:
    """Write the five files; those that are there are replaced.

    Raises:
        InputError: if the folder cannot be written.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file, not a folder", where=Where(folder), hint="name a folder with -o")
    _write_statements(analysis, folder / "statements.csv", seed)
    write_csv(folder / "representative.csv", *_table(Representative, analysis.representative))
    write_csv(folder / "consensus.csv", *_table(Majority, analysis.majority))
    _write_participants(analysis, folder / "participants.csv")
    summary = summarise(analysis, seed=seed)
    write_file(folder / "summary.json", canonical_json(summary, indent=2))
    return summary


def write_groups(groups: Groups, path: Path) -> None:
    """`participant` and `group` of everybody who is in a group, by id."""
    write_csv(path, ("participant", "group"), _members(groups))


def write_consensus(path: Path, found: Consensus, *, intervals: bool = False) -> None:
    """Write the table by statement id. Cells are empty where nothing can be said.

    `intervals` adds, after the columns that are always there, votes and interval by group, the interval of the
    product, the geometric mean, and whether a group has too few votes.
    """
    if "aware" in found.names:
        what = "a group is called 'aware', and group_aware_consensus is the column of all groups together"
        raise InputError(what, where=Where(path), hint="call the group something else")
    header = ["comment-id", *(f"group_{name}_consensus" for name in found.names), "group_aware_consensus"]
    columns: list[list[Cell]] = [
        found.statement_ids.tolist(),
        *map(empty_for_nan, found.groups_KS),
        empty_for_nan(found.product_S),
    ]
    if intervals:
        for at, name in enumerate(found.names):
            header += [f"group_{name}_{what}" for what in ("votes", "low", "high")]
            columns += [found.votes_KS[at].tolist(), empty_for_nan(found.low_KS[at]), empty_for_nan(found.high_KS[at])]
        header += ["group_aware_low", "group_aware_high", "geometric_mean", "few_votes", "group_aware_disagreement"]
        columns += [empty_for_nan(one) for one in (found.product_low_S, found.product_high_S, found.geometric_S)]
        columns += [found.few_votes_S.tolist(), empty_for_nan(found.disagreement_S)]
    write_csv(path, header, zip(*columns, strict=True))


def empty_for_nan(numbers: Floats) -> list[Cell]:
    """NaN as an empty cell."""
    return [None if np.isnan(one) else float(one) for one in numbers]


def _members(groups: Groups) -> list[tuple[int, str]]:
    return [
        (int(person), groups.names[label])
        for person, label in zip(groups.participant_ids, groups.labels_G, strict=True)
    ]


def _write_statements(analysis: Analysis, path: Path, seed: int) -> None:
    talk, groups, places = analysis.conversation, analysis.groups, analysis.projection.statements_S2
    sure = consensus_of(talk, groups, seed=seed)
    everyone = everybody(talk)
    counts = counts_of(talk, groups)
    columns = [
        talk.statement_ids,
        analysis.consensus_S,
        analysis.extremity_S,
        analysis.priority_S,
        places[:, 0],
        places[:, 1],
        analysis.polarisation_S,
        split(everyone),
        *_votes(everyone, 0),
        analysis.moderated_out_S,
        *(
            empty_for_nan(one)
            for one in (sure.product_low_S, sure.product_high_S, geometric_mean(analysis.consensus_S, groups.k))
        ),
        sure.few_votes_S,
        analysis.disagreement_S,
    ]
    header = [*STATEMENT_COLUMNS]
    for label, name in enumerate(groups.names):
        header += [f"group_{name}_{column}" for column in GROUP_COLUMNS]
        columns += _votes(counts, label)
    write_csv(path, header, zip(*(np.asarray(column).tolist() for column in columns), strict=True))


def _votes(counts: Counts, group: int) -> list[np.ndarray]:
    """In the order of `GROUP_COLUMNS`."""
    return [counts.seen[group], counts.agrees[group], counts.disagrees[group], counts.passes[group]]


def _write_participants(analysis: Analysis, path: Path) -> None:
    talk, places = analysis.conversation, analysis.projection.participants_P2
    group = dict(_members(analysis.groups))
    rows = [
        (one.id, group.get(one.id), float(place[0]), float(place[1]), int(votes))
        for one, place, votes in zip(talk.participants, places, talk.n_votes_P, strict=True)
    ]
    write_csv(path, ("participant", "group", "projection_x", "projection_y", "votes"), rows)


def _table(
    kind: type[Record], rows: Sequence[Representative] | Sequence[Majority]
) -> tuple[list[str], list[list[object]]]:
    """Records as a table, a column per field; `comment_id` is written as in exports, `comment-id`, and stands first."""
    fields = ["comment_id", *(name for name in kind.model_fields if name != "comment_id")]
    header = ["comment-id", *fields[1:]]
    return header, [[getattr(row, name) for name in fields] for row in rows]
