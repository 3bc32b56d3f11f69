"""The public version gives the groups that were found before it, although everybody has another id in it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from simulated.public import draw, make_public

from solon.collective.conversation import Conversation
from solon.collective.exporting import export_conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.grouping import Method, find_groups
from solon.collective.reading.folder import open_conversation
from talks import random_rows, talk

CONVERSATIONS = {
    "two camps": lambda: talk(random_rows(0, 150, 30, seen=0.5)),
    "loose groups": lambda: draw(make_public(seed=1), participants=400, seen=0.4, seed=1).conversation,
    "few votes": lambda: talk(random_rows(3, 40, 12, seen=0.3)),
}


def votes_by_group(conversation: Conversation, method: Method) -> list[list[bytes]]:
    """The votes of the people in each group: what a group is, whatever its people are called."""
    groups = find_groups(conversation, method=method)
    row = np.searchsorted(conversation.participant_ids, groups.participant_ids)
    own = [np.where(conversation.seen_PS[at], conversation.votes_PS[at], 2).tobytes() for at in row]
    return [sorted(own[at] for at in np.flatnonzero(groups.labels_G == label)) for label in range(groups.k)]


@pytest.mark.parametrize("name", CONVERSATIONS)
@pytest.mark.parametrize("seed", range(5))
def test_groups_are_the_same_before_and_after_the_public_export(tmp_path: Path, name: str, seed: int) -> None:
    before = CONVERSATIONS[name]()
    export_conversation(before, tmp_path / "public", seed=seed)
    after = open_conversation(tmp_path / "public", vote_sign=1).conversation
    assert (before.votes_PS != after.votes_PS).any(), "people stand in another order"
    found, again = analyse(before), analyse(after)
    assert found.groups.k > 1 and votes_by_group(before, "polis") == votes_by_group(after, "polis")
    assert found.groups.silhouettes == again.groups.silhouettes
    np.testing.assert_array_equal(found.consensus_S, again.consensus_S)
    np.testing.assert_array_equal(found.projection.components_2S, again.projection.components_2S)
    assert found.representative == again.representative


def test_the_ccai_method_gives_the_same_groups_too() -> None:
    from solon.collective.exporting import public

    before = talk(random_rows(4, 90, 60, seen=0.7))
    for seed in range(2):
        assert votes_by_group(before, "ccai") == votes_by_group(public(before, seed=seed), "ccai")
