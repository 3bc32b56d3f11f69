"""What a Polis server would store for some votes, by plain loops over the formulas, in its own sign: agree is -1.

Groups are given, not found: the tests ask whether everything else follows from them.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import prod, sqrt
from typing import Any

import numpy as np

from solon.collective.opinion.polis.projection import axes as found_axes
from solon.collective.opinion.polis.projection import ratings
from solon.collective.opinion.results import Analysis

Votes = dict[tuple[int, int], int]
"""By participant and statement, +1 agree; turned round where it is used."""


def served(
    votes: Votes,
    *,
    people: Sequence[int],
    statements: Sequence[int],
    groups: dict[int, list[list[int]]],
    mod_out: Sequence[int] = (),
    meta: Sequence[int] = (),
    draw: int = 0,
) -> dict[str, Any]:
    """`math-pca2.json`. `groups`: base clusters, each a list of participants, by group number."""
    draws = np.random.default_rng(draw)
    order = draws.permutation(list(statements)).tolist()
    stored = {pair: -vote for pair, vote in votes.items()}
    centre, components = axes(stored, people, order, mod_out, draws)
    extremity = {
        one: sqrt(len(order)) * abs(-1 - centre[one]) * sqrt(components[0][one] ** 2 + components[1][one] ** 2)
        for one in order
    }
    numbers = draws.permutation(range(20, 20 + 3 * sum(map(len, groups.values())))).tolist()
    bases = [(numbers.pop(), number, base) for number, listed in groups.items() for base in listed]
    members = {number: [person for base in listed for person in base] for number, listed in groups.items()}
    places = {one: place(one, stored, order, mod_out, centre, components) for one in people}
    middles = [[sum(places[one][axis] for one in base) / len(base) for _, _, base in bases] for axis in range(2)]
    tallies = {number: {one: tally(votes, persons, one) for one in statements} for number, persons in members.items()}
    return {
        "tids": order,
        "n": len(people),
        "pca": {
            "center": [centre[one] for one in order],
            "comps": [[axis[one] for one in order] for axis in components],
            "comment-extremity": [extremity[one] for one in order],
            "comment-projection": [
                [sqrt(len(order)) * (-1 - centre[one]) * axis[one] for one in order] for axis in components
            ],
        },
        "base-clusters": {
            "id": [number for number, _, _ in bases],
            "members": [base for _, _, base in bases],
            "x": middles[0],
            "y": middles[1],
            "count": [len(base) for _, _, base in bases],
        },
        "group-clusters": [
            {"id": number, "members": [base for base, of, _ in bases if of == number]} for number in reversed(groups)
        ],
        "mod-out": list(mod_out),
        "meta-tids": list(meta),
        "user-vote-counts": {str(one): sum(person == one for person, _ in votes) for one in people},
        "group-votes": {
            str(number): {
                "id": number,
                "n-members": len(members[number]),
                "votes": {str(one): {"A": a, "D": d, "S": s} for one, (a, d, s) in by_statement.items()},
            }
            for number, by_statement in tallies.items()
        },
        "group-aware-consensus": {
            str(one): prod((tallies[number][one][0] + 1) / (tallies[number][one][2] + 2) for number in groups)
            for one in statements
        },
        "comment-priorities": {
            str(one): priority([tallies[number][one] for number in groups], extremity[one], one in meta)
            for one in statements
        },
        "repness": {str(number): representative(number, tallies, mod_out) for number in groups},
        "consensus": majorities(votes, people, [one for one in statements if one not in mod_out]),
        "in-conv": [person for listed in members.values() for person in listed],
    }


def axes(
    stored: Votes, people: Sequence[int], order: Sequence[int], mod_out: Sequence[int], draws: np.random.Generator
) -> tuple[dict[int, float], list[dict[int, float]]]:
    table = np.zeros((len(people), len(order)))
    for column, one in enumerate(order):
        cast = [stored[person, one] for person in people if (person, one) in stored]
        mean = sum(cast) / len(cast) if cast else 0.0
        for row, person in enumerate(people):
            table[row, column] = 0.0 if one in mod_out else stored.get((person, one), mean)
    centre = table.mean(axis=0)
    rows = np.linalg.svd(table - centre)[2][:2] * draws.choice([-1, 1], size=(2, 1))
    return dict(zip(order, centre.tolist(), strict=True)), [dict(zip(order, row.tolist(), strict=True)) for row in rows]


def place(
    person: int,
    stored: Votes,
    order: Sequence[int],
    mod_out: Sequence[int],
    centre: dict[int, float],
    components: list[dict[int, float]],
) -> list[float]:
    seen = {
        one: 0 if one in mod_out else stored[person, one] for one in order if one in mod_out or (person, one) in stored
    }
    stretch = sqrt(len(order) / max(1, len(seen)))
    return [stretch * sum((vote - centre[one]) * axis[one] for one, vote in seen.items()) for axis in components]


def tally(votes: Votes, persons: Sequence[int], statement: int) -> tuple[int, int, int]:
    """Agrees, disagrees, all votes seen."""
    cast = [votes[person, statement] for person in persons if (person, statement) in votes]
    return cast.count(1), cast.count(-1), len(cast)


def priority(tallies: Sequence[tuple[int, int, int]], extremity: float, meta: bool) -> float:
    agrees, disagrees, seen = (sum(one[part] for one in tallies) for part in range(3))
    passes = seen - agrees - disagrees
    importance = (1 - (passes + 1) / (seen + 2)) * (extremity + 1) * (agrees + 1) / (seen + 2)
    return 49.0 if meta else (importance * (1 + 8 * 2 ** (-seen / 5))) ** 2


def one_z(n: int, seen: int) -> float:
    return 2 * sqrt(seen + 1) * ((n + 1) / (seen + 1) - 0.5)


def two_z(n: int, seen: int, rest: int, rest_seen: int) -> float:
    first, second = (n + 1) / (seen + 1), (rest + 1) / (rest_seen + 1)
    pooled = (n + rest + 2) / (seen + rest_seen + 2)
    return (
        0.0 if pooled == 1 else (first - second) / sqrt(pooled * (1 - pooled) * (1 / (seen + 1) + 1 / (rest_seen + 1)))
    )


def representative(number: int, tallies: dict[int, dict[int, tuple[int, int, int]]], mod_out: Sequence[int]) -> Any:
    found = []
    for one, (agrees, disagrees, seen) in sorted(tallies[number].items()):
        if one in mod_out:
            continue
        others = [by_statement[one] for other, by_statement in tallies.items() if other != number]
        rest = [sum(other[part] for other in others) for part in range(3)]
        sides = {}
        for way, n, n_rest in (("agree", agrees, rest[0]), ("disagree", disagrees, rest[1])):
            p = (n + 1) / (seen + 2)
            sides[way] = (n, p, one_z(n, seen), p / ((n_rest + 1) / (rest[2] + 2)), two_z(n, seen, n_rest, rest[2]))
        found.append((one, agrees + disagrees, seen, sides))
    best = best_agree(found)
    enough = [one for one in found if any(side[2] > 1.2816 and side[4] > 1.2816 for side in one[3].values())]
    enough.sort(key=lambda one: -prod(one[3][direction(one)][1:]))
    if enough:
        picked = ([best] if best else []) + [one for one in enough if one is not best]
        picked = sorted(picked[:5], key=lambda one: direction(one) == "disagree")
    else:
        picked = [best or max((one for one in found if one[2]), key=lambda one: max(s[4] for s in one[3].values()))]
    return [
        {
            "tid": one[0],
            "repful-for": direction(one),
            "n-trials": one[2],
            **dict(
                zip(
                    ("n-success", "p-success", "p-test", "repness", "repness-test"), one[3][direction(one)], strict=True
                )
            ),
            **({"best-agree": True} if one is best else {}),
        }
        for one in picked
    ]


def direction(one: Any) -> str:
    return "agree" if one[3]["agree"][4] > one[3]["disagree"][4] else "disagree"


def best_agree(found: Sequence[Any]) -> Any:
    best = None
    for one in found:
        _, p, z, ratio, _ = one[3]["agree"]
        if not one[1]:
            continue
        if best is None:
            best = one if z > 1.2816 or (ratio > 1 and p > 0.5) else None
        elif best[3]["agree"][3] > 1:
            best = one if prod(one[3]["agree"][1:]) > prod(best[3]["agree"][1:]) else best
        else:
            best = one if p * z > best[3]["agree"][1] * best[3]["agree"][2] else best
    return best


def majorities(votes: Votes, people: Sequence[int], statements: Sequence[int]) -> dict[str, list[dict[str, Any]]]:
    listed: dict[str, list[dict[str, Any]]] = {}
    for part, way in enumerate(("agree", "disagree")):
        rows = []
        for one in sorted(statements):
            counts = tally(votes, people, one)
            n, seen = counts[part], counts[2]
            p, z = (n + 1) / (seen + 2), one_z(n, seen)
            if p > 0.5 and z > 1.2816:
                rows.append({"tid": one, "n-success": n, "n-trials": seen, "p-success": p, "p-test": z})
        listed[way] = sorted(rows, key=lambda row: -row["p-success"] * row["p-test"])[:5]
    return listed


def assert_stored_is_computed(found: Analysis, blob: dict[str, Any]) -> None:
    """Every result that the file has is what the analysis has: of statements to 1e-9, lists in order, axes but for
    the direction, and places of people who are a base cluster of their own."""
    at = np.searchsorted(found.conversation.statement_ids, blob["tids"])
    for key, computed_S in (("group-aware-consensus", found.consensus_S), ("comment-priorities", found.priority_S)):
        ids = np.searchsorted(found.conversation.statement_ids, list(map(int, blob[key])))
        np.testing.assert_allclose(list(blob[key].values()), computed_S[ids], rtol=0, atol=1e-9, err_msg=key)
    pca = blob["pca"]
    np.testing.assert_allclose(pca["comment-extremity"], found.extremity_S[at], rtol=0, atol=1e-9)
    np.testing.assert_allclose(pca["comment-projection"], found.projection.statements_S2[at].T, rtol=0, atol=1e-9)
    components_2S = found_axes(ratings(found.conversation))[0][:, at]
    cosines = np.abs((components_2S * np.array(pca["comps"])[:2]).sum(axis=1))
    np.testing.assert_allclose(cosines, 1, rtol=0, atol=1e-3)  # servers iterate, and do not always go to the end
    assert [(one.group, one.comment_id, one.direction) for one in found.representative] == [
        (number, one["tid"], one["repful-for"])
        for number in sorted(blob["repness"], key=int)
        for one in blob["repness"][number]
    ]
    assert [(one.direction, one.comment_id) for one in found.majority] == [
        (way, one["tid"]) for way in ("agree", "disagree") for one in blob["consensus"][way]
    ]
    bases = blob["base-clusters"]
    alone = [number for number, members in enumerate(bases["members"]) if len(members) == 1]
    rows = np.searchsorted(found.conversation.participant_ids, [bases["members"][number][0] for number in alone])
    stood = [[bases[axis][number] for axis in "xy"] for number in alone]
    np.testing.assert_allclose(found.projection.participants_P2[rows], stood, rtol=0, atol=1e-9)
