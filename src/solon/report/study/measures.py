"""The study's opinion groups as published and as they should be, and what the difference does.

The groups are computed on rows sorted by participant id. The published notebook then wrote them, by position, beside
rows still in the order of the export. `corrected` keeps every label with its person; `published` repeats the slip,
which needs the rows of the export in their published order.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from solon.collective.conversation import Bools, Floats, Ints
from solon.collective.opinion.ccai import (
    N_BASE,
    STARTS,
    place_all,
    positions,
)
from solon.collective.opinion.consensus import group_aware_consensus
from solon.collective.opinion.counts import count_votes
from solon.collective.opinion.given_groups import exported_beside
from solon.collective.opinion.likeness import adjusted_rand_index
from solon.collective.opinion.polis.clusters import best_k
from solon.collective.opinion.polis.projection import one_thread
from solon.collective.opinion.results import Groups, by_size
from solon.errors import InputError, Where
from solon.records import Record
from solon.report.study.reading import Study
from solon.seeds import generator

PAPER_K = 2
PAPER_CUT = 0.723
"""Group-aware consensus from which the paper took a statement to be agreed on."""
THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""Both groups above each of these (strictly), 0.50 to 0.95."""
SHUFFLES = 1_000
"""Random splits that the gap between the groups is compared with."""


class Variant(Record):
    """One labelling of the people, in figures."""

    group_sizes: tuple[int, ...]
    consensus_mean: float
    consensus_median: float
    consensus_min: float
    consensus_max: float
    """Of the product over groups, unsmoothed, over statements."""
    gap_mean: float
    """Mean over statements of the difference between the two groups' consensus."""
    gap_by_lot_low: float
    gap_by_lot_high: float
    """Where 95% of random splits into groups of these sizes have it."""
    gap_by_lot_share: float
    """Share of random splits with a gap at least as large."""
    polis_likeness: float | None
    """Adjusted Rand index with the groups that Polis exported for the same people; None: it exported none."""
    polis_same_share: float | None
    fewest_votes: int
    """Votes of a group on a statement, at least."""
    above: dict[str, int]
    """Statements with both groups above each threshold."""
    above_cut: int
    """Statements with a product above `PAPER_CUT`."""


class LabelChange(Record):
    """The published labels against the corrected ones."""

    people_with_same_label: float
    likeness: float
    """Adjusted Rand index between the two labellings."""
    change_max: float
    change_mean: float
    """Of a group's consensus on a statement."""
    spearman: float
    """Rank correlation of the products."""
    kept: int
    """Statements above `PAPER_CUT` both times."""
    leaving: tuple[int, ...]
    entering: tuple[int, ...]
    """Ids of statements above the cut only as published, and only as corrected."""


class InstalledRelease(Record):
    """What the notebook's calls give with the scikit-learn that is installed."""

    scikit_learn: str
    group_sizes: tuple[int, ...]
    same_group: int
    """People who are in the same group as with the starting points of scikit-learn 1.2.2."""


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """People with labels, and what follows. P people and S statements, by id."""

    labels_P: Ints
    consensus_2S: Floats
    product_S: Floats

    def groups(self, study: Study) -> Groups:
        """With the people they are of."""
        return Groups(
            participant_ids=study.conversation.participant_ids,
            labels_G=self.labels_P,
            names=tuple(map(str, range(PAPER_K))),
            silhouettes={},
            method="ccai",
        )

    @property
    def above_cut_S(self) -> Bools:
        return np.asarray(self.product_S > PAPER_CUT)

    def both_above(self, threshold: float) -> Bools:
        """Statements on which each group's consensus exceeds the threshold [S]."""
        return np.asarray((self.consensus_2S > threshold).all(axis=0))


@dataclass(frozen=True, kw_only=True)
class Reproduction:
    """Everything the command writes."""

    study: Study
    groups: Groups
    """With two groups, as the paper has it; `silhouettes` say what the data would choose."""
    places_P2: Floats
    variance_2: Floats
    """Share that each axis explains."""
    installed_release: InstalledRelease
    corrected: Labelled
    published: Labelled | None
    """None: the export is not in its published order, which tells who got whose label."""
    seed: int

    @property
    def chosen_k(self) -> int:
        """The number of groups with the best silhouette."""
        return best_k(self.groups.silhouettes)


def reproduce(study: Study, *, seed: int = 0) -> Reproduction:
    """Group, label both ways, count. `seed` of the clustering: 0 is the notebook's.

    Raises:
        InputError: if two groups cannot be formed, or share no statement.
    """
    placed = place_all(study.conversation)
    groups = placed.groups(study.conversation, placed.start(seed), PAPER_K)
    places_P2, variance_2 = positions(study.conversation)
    published = None
    if study.in_published_order:
        published = labelled(study, misplaced(study, groups.labels_G))
    return Reproduction(
        study=study,
        groups=groups,
        places_P2=places_P2,
        variance_2=variance_2,
        installed_release=by_installed_release(places_P2, groups.labels_G, seed),
        corrected=labelled(study, groups.labels_G),
        published=published,
        seed=seed,
    )


def by_installed_release(points_P2: Floats, labels_P: Ints, seed: int) -> InstalledRelease:
    """The notebook's two clusterings by the installed release, from its own starting points."""
    import sklearn
    from sklearn.cluster import KMeans

    with one_thread():
        draws = seed % 2**32  # NumPy's older generator takes no larger one
        base = KMeans(min(N_BASE, len(points_P2)), n_init=STARTS, random_state=draws).fit(points_P2)
        upper = KMeans(PAPER_K, n_init=STARTS, random_state=draws).fit(base.cluster_centers_)
    theirs_P = by_size(np.asarray(upper.labels_)[base.labels_], np.arange(len(points_P2)))
    return InstalledRelease(
        scikit_learn=sklearn.__version__,
        group_sizes=tuple(np.bincount(theirs_P, minlength=PAPER_K).tolist()),
        same_group=int((theirs_P == labels_P).sum()),
    )


def misplaced(study: Study, labels_P: Ints) -> Ints:
    """The label that the slip gives each person: the n-th row of the export gets the n-th label of the sorted rows.

    With people 3, 1, 2 in the export and labels 0, 0, 1 for 1, 2, 3, person 3 gets 0, 1 gets 0 and 2 gets 1.
    """
    given = dict(zip(study.export_order_P.tolist(), labels_P.tolist(), strict=True))
    return np.array([given[one] for one in study.conversation.participant_ids.tolist()], dtype=np.int64)


def labelled(study: Study, labels_P: Ints) -> Labelled:
    """Consensus by group, unsmoothed, and over both groups."""
    talk = study.conversation
    consensus_2S = count_votes(talk.votes_PS, talk.seen_PS, labels_P).agreement(smoothing=False)
    if np.isnan(consensus_2S).any(axis=0).all():
        raise InputError("no statement has votes of both groups", where=Where(talk.source))
    return Labelled(labels_P=labels_P, consensus_2S=consensus_2S, product_S=group_aware_consensus(consensus_2S))


def figures_of(study: Study, found: Labelled, *, seed: int = 0) -> Variant:
    """One labelling in figures. Statements on which a group cast no vote count nowhere."""
    known = ~np.isnan(found.product_S)
    product = found.product_S[known]
    by_lot = _gaps_by_lot(study, found.labels_P, seed)
    gap = _gap(found.consensus_2S)
    low, high = np.quantile(by_lot, [0.025, 0.975])
    beside = exported_beside(study.conversation, found.groups(study))
    seen_PS = study.conversation.seen_PS
    votes_2S = [seen_PS[found.labels_P == group].sum(axis=0) for group in range(PAPER_K)]
    return Variant(
        group_sizes=tuple(np.bincount(found.labels_P, minlength=PAPER_K).tolist()),
        consensus_mean=float(product.mean()),
        consensus_median=float(np.median(product)),
        consensus_min=float(product.min()),
        consensus_max=float(product.max()),
        gap_mean=gap,
        gap_by_lot_low=float(low),
        gap_by_lot_high=float(high),
        gap_by_lot_share=float((by_lot >= gap).mean()),
        polis_likeness=None if beside is None else beside.likeness,
        polis_same_share=None if beside is None else beside.kept_share,
        fewest_votes=int(np.min(votes_2S)),
        above={f"{at:.2f}": int(found.both_above(at).sum()) for at in THRESHOLDS},
        above_cut=int(found.above_cut_S.sum()),
    )


def compared(study: Study, published: Labelled, corrected: Labelled) -> LabelChange:
    """What changes when the labels go back to their owners."""
    from scipy.stats import spearmanr

    change = np.abs(published.consensus_2S - corrected.consensus_2S)
    before, after = published.above_cut_S, corrected.above_cut_S
    ids = study.conversation.statement_ids
    return LabelChange(
        people_with_same_label=float((published.labels_P == corrected.labels_P).mean()),
        likeness=adjusted_rand_index(corrected.labels_P, published.labels_P),
        change_max=float(np.nanmax(change)),
        change_mean=float(np.nanmean(change)),
        spearman=float(spearmanr(published.product_S, corrected.product_S, nan_policy="omit").statistic),
        kept=int((before & after).sum()),
        leaving=tuple(ids[before & ~after].tolist()),
        entering=tuple(ids[after & ~before].tolist()),
    )


def _gap(consensus_2S: Floats) -> float:
    return float(np.nanmean(np.abs(consensus_2S[0] - consensus_2S[1])))


def _gaps_by_lot(study: Study, labels_P: Ints, seed: int) -> Floats:
    """The gap of random splits into groups of the same sizes, `SHUFFLES` of them."""
    talk = study.conversation
    agree_PS = (talk.seen_PS & (talk.votes_PS == 1)).astype(np.float64)
    seen_PS = talk.seen_PS.astype(np.float64)
    lots = [generator(seed, "ccai", "split", at).permutation(labels_P) for at in range(SHUFFLES)]
    gaps = []
    for start in range(0, SHUFFLES, 100):
        # Counts of many splits at once are two matrix products; small whole numbers stay exact in them.
        second_LP = np.array(lots[start : start + 100], dtype=np.float64)
        agrees_LS, votes_LS = second_LP @ agree_PS, second_LP @ seen_PS
        other_agrees_LS, other_votes_LS = agree_PS.sum(axis=0) - agrees_LS, seen_PS.sum(axis=0) - votes_LS
        both = (votes_LS > 0) & (other_votes_LS > 0)
        share_LS = np.divide(agrees_LS, votes_LS, out=np.zeros_like(votes_LS), where=both)
        other_LS = np.divide(other_agrees_LS, other_votes_LS, out=np.zeros_like(votes_LS), where=both)
        gaps.append(np.abs(share_LS - other_LS).sum(axis=1) / both.sum(axis=1))
    return np.concatenate(gaps)
