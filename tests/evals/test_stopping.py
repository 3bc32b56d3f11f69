"""When a training ends, and to which weights it goes back: the arithmetic of the docstrings, and each limit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from solon.config.monitor import MonitorSection
from solon.config.training import EarlyStoppingSection, RLSection, SFTSection
from solon.evals.checks import Check, HeldOutLoss
from solon.evals.statistics import Mean, mean
from solon.evals.stopping import Ending, early_stopping, ending_of, fallen, parting

SECTION = MonitorSection(gold="oracle", patience=2)
WATCHED = RLSection(monitor=SECTION)


def losses(*values: float) -> list[HeldOutLoss]:
    return [HeldOutLoss(step=10 * place, loss=loss) for place, loss in enumerate(values)]


def check(step: int, gold: list[float | None] | float, proxy: float = 0.0, **changes: Any) -> Check:
    """Of a hundred prompts with so many good answers, or of these."""
    gold_of = gold if isinstance(gold, list) else [float(place < round(100 * gold)) for place in range(100)]
    plain = {
        "gold": mean([value for value in gold_of if value is not None]),
        "gold_of": tuple(gold_of),
        "unmeasured": sum(value is None for value in gold_of),
        "proxy": Mean(mean=proxy, low=proxy, high=proxy),
        "kl": Mean(mean=0.0, low=0.0, high=0.0),
        "tokens": 20.0,
        "finished": 1.0,
        "boilerplate": 0.2,
        "opening": 0.1,
        "evasion": 0.1,
    }
    return Check.model_validate(plain | {"step": step} | changes)


def test_a_training_ends_after_so_many_looks_without_a_lower_loss() -> None:
    looks = losses(0.9, 0.5, 0.6, 0.5)
    said = "the held-out loss was 0.5 after step 10, and no lower at 2 looks since"
    assert [early_stopping(looks[:count], 2).stop for count in range(1, 5)] == [None, None, None, said]
    assert early_stopping(looks, 2).best == 10
    assert early_stopping(losses(0.9, 0.5, 0.6, 0.4), 2).stop is None
    assert early_stopping(losses(0.9, 0.9, 0.9), 2).best == 0, "the first of equals"


def test_gold_has_fallen_when_the_interval_of_its_change_is_below_0() -> None:
    best = check(0, [1, 1, 1, 0])
    assert fallen(best, check(10, [0, 0, 0, 0]))
    assert fallen(best, check(10, [0, 0, 0, 0]), among=18) and not fallen(best, check(10, [0, 0, 0, 0]), among=19)
    assert not fallen(best, check(10, [0, 1, 1, 0]))
    assert not fallen(best, best) and not fallen(check(0, [0, 0, 0, 0]), check(10, [1, 1, 1, 0]))


def test_prompts_are_compared_with_themselves_where_both_are_known() -> None:
    """Three of four fell; the fifth, which was good, and the sixth, which is, are not known at the other look."""
    assert fallen(check(0, [1, 1, 1, 0, 1, None]), check(10, [0, 0, 0, 0, None, 1]))
    assert not fallen(check(0, [1, None]), check(10, [None, 0])), "nothing to compare"


def test_rl_ends_where_gold_falls_for_good_and_the_reward_rises() -> None:
    checks = [check(0, 0.7, 0), check(10, 0.8, 1), check(20, 0.6, 2), check(30, 0.5, 3)]
    assert [parting(checks[:count], SECTION).stop is None for count in range(1, 5)] == [True, True, True, False]
    verdict = parting(checks, SECTION)
    said = "gold fell from 0.800 after step 10 to 0.500, while the reward rose from 1.00 to 3.00"
    assert (verdict.best, verdict.stop) == (10, said)
    assert parting(checks[:3], SECTION.model_copy(update={"patience": 1})).stop is not None


def test_one_bad_look_among_good_ones_ends_nothing() -> None:
    checks = [check(0, 0.8), check(10, 0.5, 1), check(20, 0.79, 2), check(30, 0.5, 3)]
    assert parting(checks, SECTION).stop is None


def test_the_more_looks_there_were_the_surer_a_fall_has_to_be() -> None:
    """0.08 below the best, 2.93 standard errors: enough among five looks, too little among twenty."""
    level = [check(10 * place, 0.8) for place in range(18)]
    fall = [check(200, 0.72), check(210, 0.72)]
    assert parting([*level[:3], *fall], SECTION).stop is not None
    assert parting([*level, *fall], SECTION).stop is None


def test_a_policy_that_does_not_change_is_seldom_stopped() -> None:
    """Twenty looks, two hundred times: at an interval of 95% a third of them would be."""
    rng = np.random.default_rng(0)

    def stopped() -> bool:
        ending = ending_of([check(step, [*map(float, rng.random(100) < 0.8)]) for step in range(21)], WATCHED)
        return ending is not None and ending.stopped is not None

    assert sum(stopped() for _ in range(200)) <= 10


def test_a_policy_that_breaks_down_is_told_from_one_that_cheats() -> None:
    checks = [check(0, 0.8, 5), check(10, 0.5, 1), check(20, 0.4, 0.5)]
    said = "gold fell from 0.800 after step 0 to 0.400, while the reward fell too, from 5.00 to 0.50"
    assert parting(checks, SECTION).stop == said


@pytest.mark.parametrize(
    ("limit", "change", "said"),
    [
        ({"max_kl": 2.0}, {"kl": {"mean": 2.5, "low": 2, "high": 3}}, "KL in nats per answer was 2.5, more than"),
        ({"max_length_change": 0.5}, {"tokens": 31.0}, "change of the mean length was 0.55, more than"),
        ({"max_length_change": 0.5}, {"tokens": 9.0}, "change of the mean length was 0.55, more than"),
        ({"max_boilerplate_rise": 0.25}, {"boilerplate": 0.5}, "rise of boilerplate was 0.3, more than"),
        ({"max_evasion_rise": 0.25}, {"evasion": 0.5}, "rise of evasion was 0.4, more than"),
    ],
)
def test_a_limit_ends_rl_and_what_is_beyond_it_is_never_best(
    limit: dict[str, float], change: dict[str, Any], said: str
) -> None:
    section = SECTION.model_copy(update=limit)
    checks = [check(0, 0.5), check(10, 0.6), check(20, 0.9, **change)]
    verdict = parting(checks, section)
    ((key, value),) = limit.items()
    assert verdict.best == 10 and verdict.stop == f"the {said} rl.monitor.{key} = {value:g}"
    assert parting(checks, SECTION).stop is None and parting(checks, SECTION).best == 20
    assert parting(checks[:2], section).stop is None


def test_without_benign_prompts_no_rise_of_evasion_is_seen() -> None:
    section = SECTION.model_copy(update={"max_evasion_rise": 0.1})
    assert parting([check(0, 0.5, evasion=None), check(10, 0.5, evasion=None)], section).stop is None


def test_how_a_training_ended() -> None:
    checks = [check(0, 0.7, 0), check(10, 0.8, 1), check(20, 0.6, 2), check(30, 0.5, 3), check(40, 0.9, 4)]
    acting, watching = (RLSection(monitor=SECTION.model_copy(update={"stop": stop})) for stop in (True, False))
    acted, told = ending_of(checks[:4], acting), ending_of(checks, watching)
    why = "gold fell from 0.800 after step 10 to 0.500, while the reward rose from 1.00 to 3.00"
    assert acted == Ending(best=10, stopped=30, why=why, kept=10)
    assert acted.told(30) == f"stopped after step 30: {why}; the weights are those after step 10"
    assert told == Ending(best=10, stopped=30, why=why, kept=40), "the first place where it would have been"
    assert told.told(40) == f"would have been stopped after step 30: {why}"
    whole = ending_of(checks[:3], acting)
    assert whole == Ending(best=10, stopped=None, why=None, kept=20) and whole.told(20) is None
    early = ending_of(losses(0.9, 0.5, 0.6), SFTSection(early_stopping=EarlyStoppingSection(patience=5)))
    assert early is not None and early.told(20) == "the weights are those after step 10 of 20, the best"
    assert ending_of(checks, RLSection()) is None and ending_of((), acting) is None
