"""The files of a reproduction.

What begins with `corrected` depends on nothing but the votes: rows and columns in another order give the same bytes.
What begins with `published`, and what compares the two, is written only for an export in its published order.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from pydantic import JsonValue

from solon.artifacts.atomic import canonical_json, to_json
from solon.collective.conversation import AGREE, DISAGREE, Bools
from solon.collective.opinion.ccai import place_all
from solon.collective.opinion.consensus import consensus_of
from solon.collective.opinion.files import write_consensus
from solon.collective.opinion.stability import StabilityReport, stability_by
from solon.collective.opinion.trials import make_trials
from solon.collective.tables import write_csv, write_file
from solon.report.study.figures import consensus_histogram, opinion_map, threshold_sweep
from solon.report.study.measures import (
    PAPER_CUT,
    PAPER_K,
    SHUFFLES,
    THRESHOLDS,
    LabelChange,
    Labelled,
    Reproduction,
    Variant,
    compared,
    figures_of,
)
from solon.report.study.reading import Study

SUMMARY = "summary.json"
REFUSED = (
    "the rows are not in the order of the published export, along which the published labels were attached to the "
    "wrong people; without that order nobody can tell who got whose label"
)


def write_all(folder: Path, found: Reproduction) -> tuple[Variant, Variant | None, LabelChange | None]:
    """Write every file into an empty `folder`. Returns what the summary holds."""
    study = found.study
    corrected = figures_of(study, found.corrected, seed=found.seed)
    stability = _stability(found)
    _write_consensus(folder, "corrected", found, found.corrected)
    write_csv(
        folder / "corrected-groups.csv",
        ("participant", "group"),
        zip(study.conversation.participant_ids.tolist(), found.corrected.labels_P.tolist(), strict=True),
    )
    opinion_map(found, found.corrected, "labels on their owners").write(folder, "corrected-figure2")
    consensus_histogram(found.corrected, "labels on their owners").write(folder, "corrected-figure3")
    threshold_sweep([("corrected", found.corrected)]).write(folder, "corrected-thresholds")
    summary = _summary(found, corrected, stability)
    write_file(folder / "corrected.json", canonical_json(summary, indent=2))
    published = comparison = None
    if found.published is not None:
        published = figures_of(study, found.published, seed=found.seed)
        comparison = compared(study, found.published, found.corrected)
        _write_published(folder, found, found.published)
    whole = summary | {
        "published": to_json(published),
        "published_refused": REFUSED if published is None else None,
        "comparison": to_json(comparison),
    }
    write_file(folder / SUMMARY, canonical_json(whole, indent=2))
    return corrected, published, comparison


def _write_published(folder: Path, found: Reproduction, published: Labelled) -> None:
    study, corrected = found.study, found.corrected
    _write_consensus(folder, "published", found, published)
    opinion_map(found, published, "labels as published").write(folder, "published-figure2")
    consensus_histogram(published, "labels as published").write(folder, "published-figure3")
    threshold_sweep([("published", published), ("corrected", corrected)]).write(folder, "thresholds")
    rows = [
        ["both groups", at, *_counts(study, published.both_above(at), corrected.both_above(at))] for at in THRESHOLDS
    ]
    rows.append(["product", PAPER_CUT, *_counts(study, published.above_cut_S, corrected.above_cut_S)])
    header = ("measure", "above", "published", "corrected", "in_both", "leaving", "entering")
    write_csv(folder / "selection.csv", header, rows)


def _counts(study: Study, before: Bools, after: Bools) -> list[object]:
    """How many statements, and the ids of those that leave and enter, separated by spaces."""
    ids = study.conversation.statement_ids
    leaving, entering = (" ".join(map(str, ids[one].tolist())) for one in (before & ~after, after & ~before))
    return [int(before.sum()), int(after.sum()), int((before & after).sum()), leaving, entering]


def _write_consensus(folder: Path, name: str, found: Reproduction, people: Labelled) -> None:
    """`<name>.csv` in the study's own columns, and `<name>-statements.csv` with votes and intervals."""
    talk = found.study.conversation
    first, second = (column.tolist() for column in people.consensus_2S)
    rows = zip(talk.statement_ids.tolist(), first, second, strict=True)
    header = ("comment-id", "group_0_consensus", "group_1_consensus")
    write_csv(folder / f"{name}.csv", header, rows)
    measured = consensus_of(talk, people.groups(found.study), smoothing=False, seed=found.seed)
    write_consensus(folder / f"{name}-statements.csv", measured, intervals=True)


def _stability(found: Reproduction) -> StabilityReport:
    # Not by `ccai_place`: who takes part was settled on all of their votes, of which the study keeps a part.
    talk = found.study.conversation
    tries = make_trials(talk, place_all, seed=found.seed)
    return stability_by(tries, found.groups, smoothing=False)


def _summary(found: Reproduction, corrected: Variant, stability: StabilityReport) -> dict[str, JsonValue]:
    talk = found.study.conversation
    cast = talk.votes_PS[talk.seen_PS]
    n_votes_S = talk.seen_PS.sum(axis=0)
    return {
        "participants": {"exported": found.study.n_participants, "kept": len(talk.participants)},
        "statements": {"exported": found.study.n_statements, "kept": len(talk.statements)},
        "dropped": to_json(found.study.dropped),
        "votes": {
            "cast": len(cast),
            "agree": float((cast == AGREE).mean()),
            "disagree": float((cast == DISAGREE).mean()),
            "passed": float((cast == 0).mean()),
            "per_statement": {
                "fewest": int(n_votes_S.min()),
                "median": float(np.median(n_votes_S)),
                "most": int(n_votes_S.max()),
            },
        },
        "grouping": {
            "seed": found.seed,
            "starting_points": "drawn as by scikit-learn 1.2.2",
            "k": PAPER_K,
            "k_by_silhouette": found.chosen_k,
            "silhouettes": to_json(found.groups.silhouettes),
            "installed_release": to_json(found.installed_release),
            "explained_variance": [round(float(one), 8) for one in found.variance_2],
        },
        "random_splits": SHUFFLES,
        "corrected": to_json(corrected),
        "stability": to_json(stability),
    }
