"""What is known of a conversation while it runs: whom a statement was shown to, and what may be shown next."""

from __future__ import annotations

import threading
import time

import numpy as np
import pytest
from starlette.applications import Starlette

from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.counts import IN_NO_GROUP
from solon.web import live
from solon.web.db.events import Shown
from solon.web.live import NEW_PRIORITY, Snapshot
from voters import public
from web.visitor import Visitor, conversation_in, participant_in, the_site


@pytest.fixture(scope="module")
def snapshot() -> Snapshot:
    """Two camps of 30 and 20. Statement 0 was shown to the first and to two of the second, statement 1 to nobody."""
    talk, _ = public()
    analysis = analyse(talk)
    assert analysis.groups.k == 2
    people = np.array([*range(1, 33), 999])
    shown = Shown(people=people, statements=np.array([0]), shown_MN=np.ones((33, 1), dtype=bool))
    return Snapshot(conversation=talk, analysis=analysis, shown=shown)


def test_views_are_counted_by_group(snapshot: Snapshot) -> None:
    first, second = snapshot.labels[1], snapshot.labels[45]
    assert first != second
    # Number 5 cast too few votes to be in a group, and 999 none.
    assert [snapshot.views[group, 0] for group in (first, second, IN_NO_GROUP)] == [29, 2, 2]
    assert snapshot.views[first, 1] == 0


@pytest.mark.parametrize(
    ("statement", "person", "least", "seldom"),
    [
        (0, 1, 10, False),
        (0, 45, 10, True),
        (0, 45, 1, False),
        (0, 999, 10, True),
        (0, 999, 1, False),
        (1, 1, 1, True),
        (1, 1, 0, False),
    ],
    ids=["own group saw it", "own group did not", "enough", "of no group: any", "any enough", "nobody", "no least"],
)
def test_what_too_few_of_a_group_have_seen(
    snapshot: Snapshot, statement: int, person: int, least: int, seldom: bool
) -> None:
    assert snapshot.seldom(np.array([statement]), person, least).tolist() == [seldom]


def test_priorities_are_those_of_the_analysis_and_new_statements_have_polis_first_one(snapshot: Snapshot) -> None:
    assert snapshot.analysis is not None
    assert [snapshot.priorities[at] for at in range(12)] == snapshot.analysis.priority_S.tolist()
    # Nobody voted: importance (1 - 1/2) · 1 · 1/2, times 1 + 8, squared.
    assert pytest.approx((0.25 * 9) ** 2) == NEW_PRIORITY


def test_views_count_before_anybody_has_voted(app: Starlette, owner: Visitor) -> None:
    at = conversation_in(owner, [f"Say {word}." for word in ("please", "sorry", "thanks", "hello")], seeds_first="0")
    for _ in range(8):
        participant_in(app, at)
    site = the_site(app)
    before = site.live.refresh(1)
    counts = [before.views[-1, number] for number in range(4)]
    assert sum(counts) == 8 and before.seldom(np.arange(4), 5, max(counts) + 1).all()
    assert [before.seldom(np.array([number]), 5, counts[number]).item() for number in range(4)] == [False] * 4
    assert before.seldom(np.array([4]), 5, 1).all(), "written since"


def test_a_snapshot_is_made_anew_only_when_something_changed(
    app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, site = conversation_in(owner), the_site(app)
    monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(live, "REST", 0)
    first = site.live.current(1)
    assert site.live.current(1) is first and first.analysis is None
    voter = participant_in(app, at)
    voter.send("/vote", vote="agree")
    second = site.live.current(1)
    assert second is not first and second.analysis is not None and second.conversation.votes_PS.sum() == 1
    voter.send("/undo")
    assert site.live.current(1).analysis is None
    assert np.array_equal(second.conversation.votes_PS.sum(axis=0), second.conversation.seen_PS.sum(axis=0))


def test_between_whole_analyses_votes_are_counted_and_groups_kept(
    app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, site, whole = conversation_in(owner), the_site(app), []
    monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(live, "REST", 1e9)
    monkeypatch.setattr(site.live, "newest", lambda talk: None)  # nothing in the background
    known = live.find_groups
    monkeypatch.setattr(live, "find_groups", lambda *a, **k: whole.append(1) or known(*a, **k))
    voters = [participant_in(app, at) for _ in range(2)]
    voters[0].send("/vote", vote="agree")
    first = site.live.refresh(1)
    voters[1].send("/vote", vote="agree")
    second = site.live.refresh(1)
    assert len(whole) == 1 and second.analysis is not None and first.analysis is not None
    assert [one.conversation.seen_PS.sum() for one in (first, second)] == [1, 2]
    assert np.array_equal(second.analysis.groups.participant_ids, first.analysis.groups.participant_ids)
    assert site.live.refresh(1) is second, "nothing is new"
    monkeypatch.setattr(live, "REST", 0)
    third = site.live.refresh(1)
    assert len(whole) == 2 and third.analysis is not None and third.analysis.groups.sizes == (2,)
    assert site.live.refresh(1) is third, "it is whole"
    monkeypatch.setattr(live, "REST", 1e9)
    voters[0].send("/vote", vote="agree")
    owner.get(f"{at}/manage")
    owner.send("/state", state="closed")
    assert site.live.refresh(1) is not third and len(whole) == 3, "what is closed is analysed as a whole"


def test_few_wait_for_an_analysis_and_the_rest_is_told_so(
    app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With one before, they are given that."""
    at, site, going = conversation_in(owner), the_site(app), threading.Event()
    monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(live, "REST", 0)
    refresh = site.live.refresh

    def slowly(talk: int) -> Snapshot:
        going.wait(20)
        return refresh(talk)

    monkeypatch.setattr(site.live, "refresh", slowly)
    waiting = [Visitor(app) for _ in range(live.MOST_WAITERS)]
    threads = [threading.Thread(target=one.get, args=(f"{at}/results",)) for one in waiting]
    for one in threads:
        one.start()
    while site.live._waiters._value:
        time.sleep(0.01)
    late = Visitor(app)
    late.get(f"{at}/results")
    assert late.status == 503 and late.heading == "The results are being worked out"
    refresh(1)
    assert late.get(f"{at}/results") and late.status == 200
    going.set()
    for one in threads:
        one.join()
    assert [one.status for one in waiting] == [200] * live.MOST_WAITERS


def test_how_firm_the_groups_are_is_measured_once_and_in_the_background(
    app: Starlette, owner: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    at, measured = conversation_in(owner), []
    talk, _ = public()
    monkeypatch.setattr(live, "assembled", lambda *_: talk)
    known = live.opinion_of
    monkeypatch.setattr(
        live, "opinion_of", lambda *a, **k: measured.append(threading.current_thread().name) or known(*a, **k)
    )
    the_site(app).live.refresh(1)
    assert measured == []
    owner.get(f"{at}/manage")
    owner.send("/state", state="closed")
    monkeypatch.setattr(live, "LEAST_SECONDS", 0.0)
    monkeypatch.setattr(live, "REST", 0)
    for language in ("en", "de"):
        for page in ("results", "report"):
            visitor = Visitor(app, language=language)
            assert visitor.get(f"{at}/{page}") and visitor.status == 200
    assert len(measured) == 1 and measured[0].startswith("solon-live")


def test_a_snapshot_makes_a_thing_once_for_all_who_ask_at_once(snapshot: Snapshot) -> None:
    made, gate = [], threading.Barrier(4)

    def make() -> int:
        made.append(1)
        time.sleep(0.05)
        return 7

    def ask() -> None:
        gate.wait()
        snapshot.once("slow", make)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert made == [1]


def test_what_is_made_from_a_snapshot_is_made_once(snapshot: Snapshot) -> None:
    made = []
    for _ in range(3):
        snapshot.once("key", lambda: made.append(1))
    assert made == [1]
