"""Do the intervals of an arena hold the true ratings as often as they say?

100 arenas of four models whose true ratings are drawn with a standard deviation of 150 points, once for helpfulness and
once for harmlessness. 200 judges come one after the other, each is shown 20 pairs of answers to 40 prompts by the
site's own lottery (`solon.web.arena.choosing`), with a tenth of them checks of attention, and votes by taste: equals
tie a third of the time. Promised: 90% to 99% of the intervals hold the model's true rating. Beside it: a tenth of the
judges votes blindly, with and without their votes; the truth is that of those who read.

Run: `python bench/arena_coverage.py [arenas]`. Exits with 1 where the promise is broken.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from solon.evals.arena import OBJECTIVES, Ballot, Verdict, standings
from solon.evals.elo import MEAN
from solon.web.arena.choosing import Drawn, Pair, draw_pair, pairs_of
from solon.web.db.arenas import Ids, Written, pair_of

ARENAS, JUDGES, EACH, PROMPTS = 100, 200, 20, 40
MODELS = ("a", "b", "c", "d")
PROMISED = (0.90, 0.99)
SPREAD, TIE = 150.0, 1.0
CHECKS, CHECK_SHARE = 10, 0.1
TIES: tuple[Verdict, ...] = ("tie", "both bad")


@dataclass
class Arena:
    """One arena, and what its judges truly think."""

    seed: int
    blind: float = 0.0
    """The share of judges who do not read."""
    judges: int = JUDGES
    shown: Counter[Ids] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.rng = np.random.default_rng(self.seed)
        true = self.rng.normal(0, SPREAD, (len(OBJECTIVES), len(MODELS)))
        true += MEAN - true.mean(axis=1, keepdims=True)
        self.true = {name: dict(zip(MODELS, row, strict=True)) for name, row in zip(OBJECTIVES, true, strict=True)}
        written = [
            Written(prompt, prompt * 10 + at, model, False, f"{prompt} {model}")
            for prompt in range(PROMPTS)
            for at, model in enumerate(MODELS)
        ]
        spoiled = [one._replace(id=one.id + 5, spoiled=True, text="?") for one in written[:: len(MODELS)][:CHECKS]]
        self.answers = {one.id: one for one in (*written, *spoiled)}
        self.pairs: tuple[Pair, ...] = pairs_of(sorted(self.answers.values(), key=lambda one: (one.prompt, one.id)))

    def ballots(self) -> list[Ballot]:
        """All votes."""
        return [one for judge in range(self.judges) for one in self._of(judge)]

    def _of(self, judge: int) -> list[Ballot]:
        seen: set[Ids] = set()
        reads, found = self.rng.random() >= self.blind, []
        for _ in range(EACH):
            drawn = draw_pair(self.pairs, self.shown, seen, check_share=CHECK_SHARE, seed=self.seed, judge=judge)
            assert drawn, "there are more pairs than anybody sees"
            seen.add(pair_of(drawn.a, drawn.b))
            self.shown[pair_of(drawn.a, drawn.b)] += 1
            found.append(self._vote(judge, drawn, len(seen), reads=reads))
        return found

    def _vote(self, judge: int, drawn: Drawn, nth: int, *, reads: bool) -> Ballot:
        a, b = self.answers[drawn.a], self.answers[drawn.b]
        sound: Verdict | None = "b" if a.spoiled else "a" if b.spoiled else None
        said: dict[str, Verdict] = {name: self._say(name, a.model, b.model, reads) for name in OBJECTIVES}
        if sound and reads:
            said["helpfulness"] = sound
        return Ballot.model_validate(
            {
                "id": f"{judge}-{nth}",
                "judge": str(judge),
                "prompt": str(drawn.prompt),
                "a": a.model,
                "b": b.model,
                "said": said,
                "chance": drawn.chance,
                "sound": sound,
            }
        )

    def _say(self, objective: str, a: str, b: str, reads: bool) -> Verdict:
        strengths = [10 ** (self.true[objective][one] / 400) if reads else 1.0 for one in (a, b)]  # type: ignore[index]
        weights = np.array([*strengths, TIE * np.sqrt(strengths[0] * strengths[1])])
        end = int(self.rng.choice(3, p=weights / weights.sum()))
        return ("a", "b", TIES[int(self.rng.random() < 0.3)])[end]


def held(arena: Arena, ballots: list[Ballot], *, checked: bool) -> list[bool]:
    """Of every rating, whether its interval holds the truth."""
    found = []
    for one in standings(ballots, checked=checked).objectives:
        assert one.elo
        for row in one.elo.rows:
            true = arena.true[one.objective][row.player]
            found.append((row.low is None or row.low <= true) and (row.high is None or true <= row.high))
    return found


def coverage(arenas: int, blind: float) -> tuple[float, float]:
    """The shares of intervals that hold the truth: with all votes, and without those of judges who fail checks."""
    found: tuple[list[bool], list[bool]] = [], []
    for seed in range(arenas):
        arena = Arena(seed, blind)
        ballots = arena.ballots()
        for checked, holds in enumerate(found):
            holds += held(arena, ballots, checked=bool(checked))
    every, checked_ = (sum(holds) / len(holds) for holds in found)
    return every, checked_


def main() -> int:
    arenas = int(sys.argv[1]) if len(sys.argv) > 1 else ARENAS
    found, _ = coverage(arenas, 0.0)
    print(
        f"{arenas} arenas of {len(MODELS)} models, {JUDGES} judges with {EACH} pairs each: "
        f"{100 * found:.1f}% of intervals hold the truth",
        flush=True,
    )
    every, checked = coverage(max(10, arenas // 5), 0.1)
    print(f"beside: a tenth votes blindly: {100 * every:.1f}% with their votes, {100 * checked:.1f}% without")
    return 0 if PROMISED[0] <= found <= PROMISED[1] else 1


if __name__ == "__main__":
    sys.exit(main())
