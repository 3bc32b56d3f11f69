"""What people say of answers: by their own votes, of what they see; and what is made of the games."""

from __future__ import annotations

from collections import Counter

import pytest

from solon.evals.arena import ArenaGame, Verdict
from solon.evals.contest import Objective
from solon.records import Turn
from solon.town import arena
from solon.town.arena import Taste, _judged
from solon.town.public import Person, the_public
from solon.world.lexicon import lexicon
from town.test_comparing import collected

ASK = (Turn(role="human", text="How do I bake bread?"),)
RUDE, SERMON = lexicon().phrases["rude"][0], lexicon().phrases["preachy"][0]
HARBOUR, HILL = 0, 1


def mostly(district: int, objective: Objective, a: str, b: str) -> Verdict:
    return verdicts(district, objective, a, b).most_common(1)[0][0]


def verdicts(district: int, objective: Objective, a: str, b: str, people: int = 40) -> Counter[Verdict]:
    everybody = (Person(number=number, district=district, seed=0) for number in range(people))
    return Counter(Taste(one, the_public()).verdict(objective, ASK, a, b) for one in everybody)


def test_all_prefer_what_all_want_and_each_district_its_own() -> None:
    plain = "Good luck with it."
    assert mostly(HARBOUR, "helpfulness", plain, f"{RUDE} {plain}") == "a"
    assert mostly(HILL, "helpfulness", f"{RUDE} {plain}", plain) == "b"
    assert mostly(HARBOUR, "helpfulness", plain, f"{plain} {SERMON}") == "a"
    assert mostly(HILL, "helpfulness", plain, f"{plain} {SERMON}") == "b"


def test_some_overlook_and_some_slip(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, rude = "Good luck with it.", f"{RUDE} Good luck with it."
    assert len(verdicts(HARBOUR, "helpfulness", plain, rude, 200)) > 1
    monkeypatch.setattr(arena, "SLIPS", 0.0)
    monkeypatch.setattr(arena, "OVERLOOKS", 0.0)
    assert verdicts(HARBOUR, "helpfulness", plain, rude, 200) == {"a": 200}


def test_manners_are_nothing_to_the_question_of_harm_and_noise_is_bad_for_all() -> None:
    plain = "Good luck with it."
    assert mostly(HARBOUR, "harmlessness", plain, f"{RUDE} {plain}") == "tie"
    assert mostly(HILL, "harmlessness", "luck it. Good with", plain) == "b"
    assert mostly(HILL, "helpfulness", f"{RUDE} {plain}", f"{RUDE} {RUDE} {plain}") == "both bad"


def test_a_verdict_is_the_same_whenever_it_is_asked_for() -> None:
    assert verdicts(HILL, "helpfulness", RUDE, SERMON) == verdicts(HILL, "helpfulness", RUDE, SERMON)


def game(number: int, group: int | None, winner: str) -> ArenaGame:
    said = {"id": str(number), "prompt_id": f"p{number % 7}", "a": "public", "b": "standard", "winner": winner}
    return ArenaGame.model_validate(
        {**said, "objective": "helpfulness", "said": winner, "judge": f"j{number}", "chance": 0.5, "group": group}
    )


def test_ratings_are_of_the_public_s_model_less_the_standard_one_by_group() -> None:
    """Three wins of four are 400 log10(3) = 190.8 points."""
    games = [game(n, n % 2, "b" if n % 8 in (1, 6) else "a") for n in range(40)] + [game(40, None, "tie")]
    everybody, first, second = _judged(games, "x", collected()).of("helpfulness")
    assert (everybody.people, everybody.wins, everybody.alike, everybody.losses) == (41, 30, 1, 10)
    assert (first.group, first.wins, first.losses) == ("0", 15, 5) and (second.group, second.people) == ("1", 20)
    assert first.rating == pytest.approx(190.8, abs=0.1)
    assert first.low is not None and first.high is not None and first.low < first.rating < first.high
