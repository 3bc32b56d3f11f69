"""Arenas, results and exports, whose rows come in another order: with PostgreSQL as with SQLite."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette

from needs import POSTGRES
from web import test_arena
from web.postgres_site import app, connections, migrated, server, site_on
from web.test_arena import TestChecks, at, drawn, judge
from web.test_results import (
    test_the_same_conversation_gives_the_same_archive,
    test_the_site_and_its_export_give_the_same_analysis,
    test_what_people_said_of_themselves_goes_with_the_organisers_export,
    town_in,
)
from web.visitor import Visitor

pytestmark = pytest.mark.skipif(POSTGRES.place is None, reason=POSTGRES.reason)
__all__ = [
    "TestChecks",
    "app",
    "at",
    "connections",
    "drawn",
    "judge",
    "migrated",
    "server",
    "test_the_same_conversation_gives_the_same_archive",
    "test_the_site_and_its_export_give_the_same_analysis",
    "test_what_people_said_of_themselves_goes_with_the_organisers_export",
]


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, server: str, migrated: str) -> tuple[Starlette, Visitor, str]:
    return town_in(site_on(tmp_path_factory.mktemp("town"), server, migrated), voters=24)


class TestComparing:
    """Each pair once, and each vote."""

    test_every_pair_once = test_arena.TestComparing.test_a_judge_compares_every_pair_once_and_never_learns_a_name
    test_sent_twice = test_arena.TestAttacks.test_a_form_sent_twice_counts_once_with_what_it_said_first
