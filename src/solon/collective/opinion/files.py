"""An analysis as a folder of tables: statements, representative statements, majorities, people, and a summary.

docs/formats/collect.md has every column. The same conversation gives the same bytes, whatever the order of its export.
"""

from __future__ import annotations

from pathlib import Path

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import VOTE_SIGN
from solon.collective.opinion.consensus import Consensus, consensus_of
from solon.collective.opinion.counts import Counts, counts_of, everybody, labels_of, overall, split
from solon.collective.opinion.results import Agreement, Analysis, Groups, Majority, Representative
from solon.collective.tables import ColumnsToWrite, csv_of_columns, write_file, write_records
from solon.errors import InputError, Where
from solon.records import Record

FILES = ("statements.csv", "representative.csv", "consensus.csv", "participants.csv", "summary.json")
VOTES = {"votes": "seen", "agrees": "agrees", "disagrees": "disagrees", "passes": "passes"}
"""Columns of votes, and what they are called where votes are counted."""


class GroupSize(Record):
    """One opinion group in a summary."""

    name: str
    participants: int


class AnalysisSummary(Record):
    """`summary.json`: an analysis in figures."""

    version: int = 1
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
    variance: tuple[float, float]
    """Share of the votes' variance that each axis explains."""
    participants: int
    participants_in_groups: int
    statements: int
    statements_moderated_out: int
    """Rejected, or about the conversation itself."""
    votes: int
    polarisation: float
    """Between groups: mean over statements that are not moderated out, weighted by votes; 0 to 1."""
    split: float
    """Variance of votes, whatever the groups; the same mean; 0 to 1."""
    agreements: tuple[Agreement, ...]
    notes: tuple[str, ...]


def summarize(analysis: Analysis, *, seed: int | None) -> AnalysisSummary:
    talk, groups = analysis.conversation, analysis.groups
    shown = ~analysis.moderated_out_S
    everyone, grouped_S = everybody(talk), counts_of(talk, groups).seen.sum(axis=0)
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
        variance=tuple(analysis.projection.variance_2.tolist()),
        participants=len(talk.participants),
        participants_in_groups=len(groups.participant_ids),
        statements=len(talk.statements),
        statements_moderated_out=int((~shown).sum()),
        votes=int(talk.seen_PS.sum()),
        polarisation=overall(analysis.polarization_S[shown], grouped_S[shown]),
        split=overall(split(everyone)[shown], everyone.seen[0, shown]),
        agreements=analysis.agreements,
        notes=analysis.notes,
    )


def write_analysis(analysis: Analysis, folder: Path, *, seed: int = 0) -> AnalysisSummary:
    """Write the five files; those that are there are replaced. Raises `InputError` if the folder cannot be written."""
    if folder.exists() and not folder.is_dir():
        raise InputError("is a file, not a folder", where=Where(folder), hint="name a folder with -o")
    write_file(folder / "statements.csv", csv_of_columns(_statements(analysis, seed)))
    write_records(folder / "representative.csv", Representative, analysis.representative)
    write_records(folder / "consensus.csv", Majority, analysis.majority)
    write_file(folder / "participants.csv", csv_of_columns(_participants(analysis)))
    summary = summarize(analysis, seed=seed)
    write_file(folder / "summary.json", canonical_json(summary, indent=2))
    return summary


def write_groups(groups: Groups, path: Path) -> None:
    """`participant` and `group` of everybody who is in a group, by id."""
    named = [groups.names[label] for label in groups.labels_G]
    write_file(path, csv_of_columns({"participant": groups.participant_ids, "group": named}))


def write_consensus(path: Path, found: Consensus, *, intervals: bool = False) -> None:
    """Write the table by statement id. Cells are empty where nothing can be said.

    `intervals` adds, after the columns that are always there, votes and interval by group, the interval of the
    product, the geometric mean, and whether a group has too few votes.
    """
    if "aware" in found.names:
        what = "a group is called 'aware', and group_aware_consensus is the column of all groups together"
        raise InputError(what, where=Where(path), hint="call the group something else")
    columns: ColumnsToWrite = {"comment-id": found.statement_ids}
    columns |= {f"group_{name}_consensus": one_S for name, one_S in zip(found.names, found.groups_KS, strict=True)}
    columns["group_aware_consensus"] = found.product_S
    if intervals:
        for at, name in enumerate(found.names):
            columns[f"group_{name}_votes"] = found.counts.seen[at]
            columns[f"group_{name}_low"], columns[f"group_{name}_high"] = found.low_KS[at], found.high_KS[at]
        columns |= _sureness(found) | {"group_aware_disagreement": found.disagreement_S}
    write_file(path, csv_of_columns(columns))


def _sureness(found: Consensus) -> ColumnsToWrite:
    return {
        "group_aware_low": found.product_low_S,
        "group_aware_high": found.product_high_S,
        "geometric_mean": found.geometric_S,
        "few_votes": found.few_votes_S,
    }


def _statements(analysis: Analysis, seed: int) -> ColumnsToWrite:
    talk, groups, places_S2 = analysis.conversation, analysis.groups, analysis.projection.statements_S2
    everyone, counts = everybody(talk), counts_of(talk, groups)
    columns: ColumnsToWrite = {
        "comment-id": talk.statement_ids,
        "group_aware_consensus": analysis.consensus_S,
        "extremity": analysis.extremity_S,
        "priority": analysis.priority_S,
        "projection_x": places_S2[:, 0],
        "projection_y": places_S2[:, 1],
        "polarisation": analysis.polarization_S,
        "split": split(everyone),
        **_votes(everyone, 0),
        "moderated_out": analysis.moderated_out_S,
        **_sureness(consensus_of(talk, groups, seed=seed)),
        "group_aware_disagreement": analysis.disagreement_S,
    }
    for label, name in enumerate(groups.names):
        columns |= _votes(counts, label, f"group_{name}_")
    return columns


def _votes(counts: Counts, group: int, before: str = "") -> ColumnsToWrite:
    return {f"{before}{name}": getattr(counts, part)[group] for name, part in VOTES.items()}


def _participants(analysis: Analysis) -> ColumnsToWrite:
    talk, places_P2 = analysis.conversation, analysis.projection.participants_P2
    names = (*analysis.groups.names, None)  # IN_NO_GROUP is -1
    return {
        "participant": talk.participant_ids,
        "group": [names[label] for label in labels_of(talk, analysis.groups)],
        "projection_x": places_P2[:, 0],
        "projection_y": places_P2[:, 1],
        "votes": talk.n_votes_P,
    }
