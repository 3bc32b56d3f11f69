"""How far to trust opinion groups: the same people grouped again, in other ways that are just as reasonable.

    seed         the clustering starts elsewhere
    k            another number of groups
    imputation   votes that were not cast count as something else
    bootstrap    the public is drawn anew from itself: other people, as many of them
    chance       the same labels dealt out by lot, to see what agreement by accident looks like

Every regrouping is compared with the groups that are shipped, on the people who are in both.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import Conversation
from solon.collective.opinion.results import Groups, Imputation
from solon.collective.opinion.stability_trials import Regroup, StabilityCheck, Trials
from solon.collective.tables import write_file
from solon.errors import InputError
from solon.records import Record
from solon.seeds import generator

REPEATS = 8
"""Seeds, bootstrap samples and lots (assumption: enough to see a bad case, a few seconds for a thousand people)."""
MAX_CELLS = 1_000_000
"""Participants times statements above which people are sampled, so that a report stays a matter of seconds."""
MIN_SAMPLE = 300
"""People in such a sample at least (assumption)."""
FIRM, FAIR = 0.8, 0.5
"""Mean adjusted Rand index from which groups are called firm, or fairly firm (assumption)."""
DECIDING = ("seed", "bootstrap", "imputation")
"""Kinds of checks that the verdict is of. Another number of groups gives other groups by its nature."""
Verdict = Literal["firm", "fairly firm", "loose"]


class StabilityReport(Record):
    """What all checks say together."""

    method: str
    k: int
    participants: int
    """Who were grouped anew, out of `participants_total`; fewer where a sample was enough."""
    participants_total: int
    statements: int
    seed: int
    repeats: int
    verdict: Verdict
    """By the mean likeness under other seeds, other people and the other imputation, whichever is lowest."""
    sentences: tuple[str, ...]
    """The findings in plain words."""
    not_formed: int = 0
    """Regroupings that could not be made, for instance because too few people were left."""
    checks: tuple[StabilityCheck, ...]


def stability_of(
    conversation: Conversation,
    groups: Groups,
    *,
    method: str | None = None,
    regroup: Regroup | None = None,
    seed: int = 0,
    repeats: int | None = None,
    smoothing: bool = True,
) -> StabilityReport:
    """Regroup in every way and compare.

    `method`: `polis` or `ccai`; by default the one the groups were made with (`polis` for groups that were given).
    `regroup`: a function to use instead. `repeats`: `REPEATS`, or half as many where people are sampled. `smoothing`:
    of the consensus whose changes are reported.
    """
    method = method or (groups.method if groups.method in ("polis", "ccai") else "polis")
    regroup = regroup or _method(method)
    base = _sampled(conversation, seed)
    sampled = len(base.participants) < len(conversation.participants)
    repeats = repeats if repeats is not None else REPEATS // 2 if sampled else REPEATS
    checks: list[StabilityCheck] = []
    not_formed = 0
    trials = Trials(
        conversation=base,
        groups=groups,
        regroup=regroup,
        other_imputation="mean" if method == "ccai" else "pass",
        seed=seed,
        repeats=repeats,
        smoothing=smoothing,
    )
    for make in trials.planned():
        try:
            checks.append(make())
        except InputError:
            # The shipped groups exist, so a regrouping that cannot be formed is a finding, not a fault.
            not_formed += 1
    return StabilityReport(
        method=method,
        k=groups.k,
        participants=len(base.participants),
        participants_total=len(conversation.participants),
        statements=len(base.statements),
        seed=seed,
        repeats=repeats,
        verdict=verdict_of(checks),
        sentences=in_words(
            checks,
            k=groups.k,
            not_formed=not_formed,
            sampled=f"{len(base.participants):,} of {len(conversation.participants):,}" if sampled else "",
        ),
        not_formed=not_formed,
        checks=tuple(checks),
    )


def ship_stability(
    path: Path, conversation: Conversation, groups: Groups, *, seed: int = 0, wanted: bool = True
) -> StabilityReport | None:
    """The report that goes with groups, written as JSON: the verdict, its sentences, every check in the order made.

    Not `wanted`: None, and a report of earlier groups at that place is removed.

    Raises:
        InputError: if the file cannot be written.
    """
    if not wanted:
        path.unlink(missing_ok=True)
        return None
    report = stability_of(conversation, groups, seed=seed)
    write_file(path, canonical_json(report, indent=2))
    return report


def _method(name: str) -> Regroup:
    """The named method in the form that the trials call."""

    def regroup(conversation: Conversation, *, k: int | None, seed: int, impute: Imputation | None) -> Groups:
        if name == "ccai":
            from solon.collective.opinion.ccai.grouping import ccai_groups

            return ccai_groups(conversation, k=k, seed=seed, impute=impute or "pass")
        from solon.collective.opinion.analysis import find_groups

        return find_groups(conversation, k=k, seed=seed, impute=impute or "mean")

    return regroup


def _sampled(conversation: Conversation, seed: int) -> Conversation:
    """Everybody, or as many people as `MAX_CELLS` allows, drawn once from the seed."""
    n = len(conversation.participants)
    size = max(MIN_SAMPLE, MAX_CELLS // max(1, len(conversation.statements)))
    if n <= size:
        return conversation
    kept = np.zeros(n, dtype=bool)
    kept[generator(seed, "stability", "sample").choice(n, size=size, replace=False)] = True
    return conversation.select(participants=kept)


def verdict_of(checks: Sequence[StabilityCheck]) -> Verdict:
    """`firm` only where nothing that is as reasonable moves people; without any check that decides, `loose`."""
    means = [
        float(np.mean([one.likeness for one in found]))
        for kind in DECIDING
        if (found := [one for one in checks if one.kind == kind])
    ]
    worst = min(means, default=0.0)
    return "firm" if worst >= FIRM else "fairly firm" if worst >= FAIR else "loose"


def in_words(checks: Sequence[StabilityCheck], *, k: int, not_formed: int = 0, sampled: str = "") -> tuple[str, ...]:
    """What a reader without statistics needs to know. `sampled`: "705 of 1,126", if not everybody was grouped anew."""
    by_kind = {kind: [one for one in checks if one.kind == kind] for kind in ("seed", "k", "imputation", "bootstrap")}
    said = []
    if k == 1:
        said.append("There is one group only, in which everybody stays whatever is changed.")
    if sampled:
        said.append(f"To save time, all of this was measured on {sampled} people, drawn by lot.")
    if seeds := by_kind["seed"]:
        said.append(
            f"If the calculation starts elsewhere, {_kept(seeds)} of people stay in their group{_moves(seeds)}."
        )
    if people := by_kind["bootstrap"]:
        said.append(
            f"If chance had brought another mix of the same people, {_kept(people)} of them would stay in their "
            f"group{_moves(people)}."
        )
    if filled := by_kind["imputation"]:
        said.append(f"If missing votes are counted in another way, {_kept(filled)} of people stay in their group.")
    chosen = Counter(one.chosen_k for one in (*by_kind["seed"], *by_kind["bootstrap"]) if one.chosen_k is not None)
    if chosen:
        counts = ", ".join(f"{number} groups in {count}" for number, count in sorted(chosen.items()))
        said.append(
            f"In {chosen.total()} of these tries the calculation was free to choose the number of groups, and chose "
            f"{counts}; here the number is {k}."
        )
    if chance := [one for one in checks if one.kind == "chance"]:
        said.append(
            f"For comparison: of groups dealt out by lot, {_kept(chance)} of people would seem to stay in "
            f"theirs{_moves(chance)}."
        )
    if not_formed:
        said.append(f"{not_formed} of the tries could not be made, for too few people or positions were left.")
    return tuple(said)


def _kept(checks: Sequence[StabilityCheck]) -> str:
    shares = [one.kept_share for one in checks]
    mean, worst = _percent(float(np.mean(shares))), _percent(min(shares))
    return mean if mean == worst else f"{mean} (at worst {worst})"


def _percent(share: float) -> str:
    """Whole percent; never all of what is not all."""
    return "over 99%" if 0.995 <= share < 1 else f"{share:.0%}"


def _moves(checks: Sequence[StabilityCheck]) -> str:
    """By how much consensus changes, as a clause; nothing where it could not be compared."""
    maxima = [one.change_max for one in checks if one.change_max is not None]
    means = [one.change_mean for one in checks if one.change_mean is not None]
    if not maxima:
        return ""
    return (
        f", and a group's agreement with a statement moves by {100 * float(np.mean(means)):.1f} percentage points"
        f" on average and {100 * max(maxima):.0f} at most"
    )
