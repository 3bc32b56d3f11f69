"""Simulated publics whose groups disagree in a known way: are groups, consensus and population recovered?

Promises, checked for every seed printed:

- groups: with 30% of the votes seen, two or three groups are found that agree with the true ones, adjusted Rand index
  at least 0.9. The number of groups is left to the method. Publics have 180 statements: 54 votes a person on average.
- order: consensus statements have a higher group-aware consensus than divisive ones in at least 99 of 100 pairs.
- weights: estimates of the share that agrees are on average nearer to the population's with weights than without, and
  their average over 200 samples is within 0.02 of it for every statement.
- intervals: the population's share lies in the nominal 95% interval in 90% to 99% of (sample, statement) pairs, and in
  as many of the samples for every statement by itself.

Shown beside them, and not promised: four groups, of which the two axes of the map keep three apart, so that what only
the smallest objects to passes for consensus; short conversations, of 16 votes a person, where the map tells fewer
people apart than their votes would, and for three groups the votes themselves do not reach 0.9 (`best` is what somebody
would reach who knew every group's probability to agree with every statement); recruitment by opinion itself, which no
quota by attributes can undo.

Run: `python bench/public_simulations.py [samples]`. Exits with 1 where a promise is broken.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass

import numpy as np
from simulated.public import CONSENSUS, DIVISIVE, PASSES, Drawn, Public, draw, make_public
from sklearn.metrics import adjusted_rand_score

from solon.collective.conversation import AGREE, DISAGREE, Floats
from solon.collective.opinion.consensus import group_aware_consensus
from solon.collective.opinion.counts import counts_of
from solon.collective.opinion.grouping import find_groups
from solon.collective.people.weights import agreement, rake

SAMPLES = 200
SEEDS = (1, 2, 3, 4, 5)
SEEN = 0.3
PEOPLE_GROUPED, PEOPLE_WEIGHTED = 600, 1500
LONG, SHORT = (40, 120, 20), (15, 30, 8)
"""Consensus, divisive and mixed statements."""
MIN_ARI, MIN_ORDER, MAX_BIAS, COVERAGE = 0.9, 0.99, 0.02, (0.90, 0.99)


def ordered_pairs(public: Public, drawn: Drawn) -> tuple[int, float, float]:
    """Groups found, their adjusted Rand index, and the share of (consensus, divisive) pairs in the right order."""
    talk = drawn.conversation
    groups = find_groups(talk)
    rows = np.searchsorted(talk.participant_ids, groups.participant_ids)
    ari = float(adjusted_rand_score(drawn.groups_P[rows], groups.labels_G))
    found_S = group_aware_consensus(counts_of(talk, groups).agreement(smoothing=True))
    kind_S = np.array(public.kind_S)
    right = found_S[kind_S == CONSENSUS][:, None] > found_S[kind_S == DIVISIVE][None, :]
    return groups.k, ari, float(right.mean())


def best_possible(public: Public, drawn: Drawn) -> float:
    """Adjusted Rand index of the groups under which each person's votes are most likely, the truth being known."""
    talk = drawn.conversation
    log_GS = {AGREE: np.log(public.agree_GS), DISAGREE: np.log(1 - public.agree_GS - PASSES)}
    likely_PG = sum(((talk.votes_PS == vote) & talk.seen_PS) @ chance.T for vote, chance in log_GS.items())
    return float(adjusted_rand_score(drawn.groups_P, np.argmax(likely_PG, axis=1)))


def show_groups(statements: tuple[int, int, int], *, counts: tuple[int, ...], seeds: tuple[int, ...]) -> bool:
    """Print what is found in publics of so many groups; True if the promises are kept."""
    kept = True
    consensus, divisive, mixed = statements
    for groups in counts:
        for seed in seeds:
            public = make_public(groups=groups, consensus=consensus, divisive=divisive, mixed=mixed, seed=seed)
            drawn = draw(public, participants=PEOPLE_GROUPED, seen=SEEN, seed=seed)
            k, ari, order = ordered_pairs(public, drawn)
            found = f"found {k}, ARI {ari:.3f} (best {best_possible(public, drawn):.3f})"
            print(f"  groups {groups}, seed {seed}: {found}, pairs in order {order:.4f}", flush=True)
            kept &= ari >= MIN_ARI and order >= MIN_ORDER
    return kept


@dataclass(frozen=True, kw_only=True)
class Weighting:
    """What weights did over many samples of one public. Errors are estimates minus the truth, in shares."""

    coverage_S: Floats
    plain_NS: Floats
    weighted_NS: Floats
    design_effect: float


def weighting(public: Public, samples: int, seed: int) -> Weighting:
    """Estimates of `samples` samples, as voted and weighted."""
    truth_S = public.truth_S
    inside, plain, weighted, effects = [], [], [], []
    for number in range(samples):
        drawn = draw(public, participants=PEOPLE_WEIGHTED, seen=SEEN, seed=seed * 1_000_000 + number)
        weights = rake(drawn.sample)
        found = agreement(drawn.conversation, weights)
        talk = drawn.conversation
        plain.append((talk.votes_PS == AGREE).sum(axis=0) / talk.seen_PS.sum(axis=0) - truth_S)
        weighted.append(found.share_S - truth_S)
        inside.append((found.low_S <= truth_S) & (truth_S <= found.high_S))
        effects.append(weights.design_effect)
    return Weighting(
        coverage_S=np.mean(inside, axis=0),
        plain_NS=np.array(plain),
        weighted_NS=np.array(weighted),
        design_effect=float(np.mean(effects)),
    )


def show_weighting(found: Weighting) -> None:
    for name, errors_NS in (("as voted", found.plain_NS), ("weighted", found.weighted_NS)):
        bias = np.abs(errors_NS.mean(axis=0)).max()
        print(f"  {name}: mean error {np.abs(errors_NS).mean():.4f}, largest bias of a statement {bias:.4f}")
    low, middle, high = found.coverage_S.min(), found.coverage_S.mean(), found.coverage_S.max()
    print(f"  intervals hold the truth in {middle:.1%}; by statement {low:.1%} to {high:.1%}")
    print(f"  design effect {found.design_effect:.2f} on average")


def main() -> int:
    if {"-h", "--help"} & {*sys.argv[1:]}:
        print(__doc__)
        return 0
    samples = int(sys.argv[1]) if len(sys.argv) > 1 else SAMPLES
    setting = f"{PEOPLE_GROUPED} people, {SEEN:.0%} of votes seen"
    print(f"groups and order: {sum(LONG)} statements, {setting}; ARI >= {MIN_ARI}, order >= {MIN_ORDER}")
    kept = show_groups(LONG, counts=(2, 3), seeds=SEEDS)
    for seed in SEEDS[:2]:
        public = make_public(groups=2, seed=seed)
        print(f"weights: seed {seed}, {samples} samples of {PEOPLE_WEIGHTED} people, {len(public.kind_S)} statements")
        found = weighting(public, samples, seed)
        show_weighting(found)
        kept &= bool(np.abs(found.weighted_NS).mean() < np.abs(found.plain_NS).mean())
        kept &= bool(np.abs(found.weighted_NS.mean(axis=0)).max() < MAX_BIAS)
        kept &= bool(COVERAGE[0] <= found.coverage_S.min() and found.coverage_S.max() <= COVERAGE[1])
    print("not promised: four groups; a map of two axes keeps three apart")
    show_groups(LONG, counts=(4,), seeds=SEEDS)
    print(f"not promised: {sum(SHORT)} statements, {setting}; 16 votes a person")
    show_groups(SHORT, counts=(2, 3), seeds=SEEDS[:3])
    few = max(samples // 10, 1)
    print(f"not promised: recruitment by opinion, seed 1, {few} samples; weights cannot mend it")
    show_weighting(weighting(make_public(groups=2, hidden_recruitment=True, seed=1), few, 1))
    print("kept" if kept else "BROKEN")
    return int(not kept)


if __name__ == "__main__":
    raise SystemExit(main())
