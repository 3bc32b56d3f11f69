"""How far to trust opinion groups: what grouping the same people again in other ways (`trials`) says.

Every regrouping is compared with the groups that are shipped, on the people who are in both. Groups and what is said of
them are computed once for the same votes, moderation, settings and given groups. What is kept has no ids: people are
numbered by the order of their votes, so that a public export finds the same file.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Literal, Self

import numpy as np
from pydantic import model_validator

from solon.artifacts.atomic import canonical_json
from solon.collective.conversation import Conversation
from solon.collective.kept import kept
from solon.collective.opinion.counts import labels_of
from solon.collective.opinion.grouping import OTHERWISE, PLACES, ByVotes, Method, by_votes
from solon.collective.opinion.results import Groups
from solon.collective.opinion.trials import StabilityCheck, Trials, make_trials
from solon.collective.tables import write_file
from solon.records import Record

FIRM, FAIR = 0.8, 0.5
"""Mean adjusted Rand index from which groups are called firm, or fairly firm (assumption)."""
FEW = 20
"""People in groups below which nothing is said of firmness: two groups of 10, the least that is shown (assumption)."""
DECIDING = ("seed", "bootstrap", "imputation")
"""Kinds of checks that the verdict is of. Another number of groups gives other groups by its nature."""
SENTENCES = {
    "seed": "If the calculation starts elsewhere, {kept} of people stay in their group{moves}.",
    "bootstrap": "If some are left out by lot and others counted twice, {kept} of people stay in their group{moves}.",
    "imputation": "If missing votes are counted in another way, {kept} of people stay in their group.",
    "chance": "For comparison: of groups dealt out by lot, {kept} of people would seem to stay in theirs{moves}.",
}
Verdict = Literal["firm", "fairly firm", "loose", "unknown"]


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
    chosen: dict[int, int]
    """How many tries that were free to choose the number of groups chose each number."""
    sentences: tuple[str, ...]
    not_formed: int = 0
    """Regroupings that could not be made, for instance because too few people were left."""
    checks: tuple[StabilityCheck, ...]


class Opinion(Record):
    """Groups, and how far to trust them."""

    groups: Groups
    stability: StabilityReport

    @model_validator(mode="after")
    def _is_a_grouping(self) -> Self:
        """Each person once, in a group that there is: a file may say anything."""
        ids_G, labels_G = self.groups.participant_ids, self.groups.labels_G
        known = self.groups.k or len(labels_G)
        if len(ids_G) != len(labels_G) or not set(labels_G.tolist()) <= set(range(known)):
            raise ValueError("no grouping")
        if ids_G.tolist() != sorted({one for one in ids_G.tolist() if one >= 0}):
            raise ValueError("people twice, or out of order")
        return self


def opinion_of(
    conversation: Conversation,
    *,
    groups: Groups | None = None,
    k: int | None = None,
    method: Method = "polis",
    seed: int = 0,
) -> Opinion:
    """Groups that `find_groups` finds, with its errors, or those given, and their stability: kept, else computed."""
    ordered = by_votes(conversation)
    given = None if groups is None else ordered.there(groups)
    how = method if groups is None else method_of(groups)

    def compute() -> Opinion:
        tries = make_trials(ordered.conversation, PLACES[how], seed=seed)
        found = given or tries.groups(k)
        stability = stability_by(tries, found)
        if given is not None:
            found = replace(given, names=(), notes=())  # what somebody called them is not ours to keep
        return Opinion(groups=found, stability=stability)

    found = kept(Opinion, _made_from(ordered, given, (how, k, seed)), compute)
    return Opinion(groups=groups or ordered.groups(found.groups), stability=found.stability)


def _made_from(ordered: ByVotes, given: Groups | None, settings: tuple[object, ...]) -> bytes:
    talk = ordered.conversation
    moderation = [(one.moderated, one.is_meta) for one in talk.statements]
    members = None if given is None else (given.k, given.participant_ids.tolist(), given.labels_G.tolist())
    votes_PS = np.where(talk.seen_PS, talk.votes_PS, 2).astype(np.int8)
    return repr((settings, votes_PS.shape, moderation, members)).encode() + votes_PS.tobytes()


def method_of(groups: Groups) -> str:
    """The method that groups are made again by."""
    return groups.method if groups.method in PLACES else "polis"


def stability_by(tries: Trials, groups: Groups, *, smoothing: bool = True) -> StabilityReport:
    """What tries say of groups of the same conversation. `smoothing`: of the consensus whose changes are reported."""
    base, people, method = tries.conversation, len(tries.whole.participants), method_of(groups)
    made = list(tries.checks(labels_of(base, groups), groups.k, OTHERWISE[method], smoothing=smoothing))
    checks = [one for one in made if one is not None]
    not_formed = len(made) - len(checks)
    sampled = f"{len(base.participants):,} of {people:,}" if len(base.participants) < people else ""
    return StabilityReport(
        method=method,
        k=groups.k,
        participants=len(base.participants),
        participants_total=people,
        statements=len(base.statements),
        seed=tries.seed,
        repeats=len(tries.seeds),
        verdict=verdict_of(checks),
        chosen=tries.numbers,
        sentences=in_words(checks, k=groups.k, not_formed=not_formed, sampled=sampled),
        not_formed=not_formed,
        checks=tuple(checks),
    )


def ship_stability(path: Path, report: StabilityReport | None) -> None:
    """Writes the report that goes with groups, as JSON. None: one of earlier groups at that place is removed."""
    if report is None:
        path.unlink(missing_ok=True)
    else:
        write_file(path, canonical_json(report, indent=2))


def verdict_of(checks: Sequence[StabilityCheck]) -> Verdict:
    """`firm` only where nothing that is as reasonable moves people.

    `unknown` for fewer than `FEW` people, where lots would seem `FAIR`ly firm, and without any check that decides.
    """
    kinds = {one.kind for one in checks}
    means = {kind: float(np.mean([one.likeness for one in checks if one.kind == kind])) for kind in kinds}
    deciding = [means[kind] for kind in DECIDING if kind in means]
    people = max((one.people for one in checks), default=0)
    if not deciding or people < FEW or means.get("chance", 0.0) >= FAIR:
        return "unknown"
    worst = min(deciding)
    return "firm" if worst >= FIRM else "fairly firm" if worst >= FAIR else "loose"


def in_words(checks: Sequence[StabilityCheck], *, k: int, not_formed: int = 0, sampled: str = "") -> tuple[str, ...]:
    """What a reader without statistics needs to know. `sampled`: "705 of 1,126", if not everybody was grouped anew."""
    said = ["There is one group only, in which everybody stays whatever is changed."] * (k == 1)
    if sampled:
        said.append(f"To save time, all of this was measured on {sampled} people, drawn by lot.")
    for kind, sentence in SENTENCES.items():
        if found := [one for one in checks if one.kind == kind]:
            said.append(sentence.format(kept=_kept(found), moves=_moves(found)))
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
