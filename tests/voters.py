"""Made-up publics for tests: everybody belongs to a camp, and camps agree with statements at set rates."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np

from solon.collective.conversation import Conversation, Participant, Statement
from solon.collective.opinion import trials
from solon.collective.opinion.grouping import PLACES, by_votes
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import StabilityReport, method_of, stability_by
from solon.collective.opinion.trials import make_trials
from talks import conversation_of


def public(
    camps: tuple[int, ...] = (30, 20),
    *,
    statements: int = 12,
    seen: float = 0.8,
    firmness: float = 0.95,
    seed: int = 0,
    first_id: int = 1,
) -> tuple[Conversation, np.ndarray]:
    """A conversation and everybody's camp. Camp c agrees with statement s if (s // (c + 1)) is even, else disagrees."""
    rng = np.random.default_rng(seed)
    camp_P = np.repeat(np.arange(len(camps)), camps)
    votes = []
    for person, camp in enumerate(camp_P.tolist()):
        for statement in range(statements):
            if rng.random() < seen:
                side = 1 if (statement // (camp + 1)) % 2 == 0 else -1
                votes.append((first_id + person, statement, side if rng.random() < firmness else -side))
    talk = conversation_of(
        [Statement(id=at, text=f"statement {at}", moderated=1) for at in range(statements)],
        [Participant(id=first_id + at) for at in range(len(camp_P))],
        votes,
    )
    return talk, camp_P


def stability_of(
    conversation: Conversation, groups: Groups, *, seed: int = 0, repeats: int | None = None
) -> StabilityReport:
    """As `opinion_of` has it, without keeping anything."""
    ordered = by_votes(conversation)
    with patch.object(trials, "REPEATS", repeats or trials.REPEATS):
        tries = make_trials(ordered.conversation, PLACES[method_of(groups)], seed=seed)
    return stability_by(tries, ordered.there(groups))
