"""A site with something on every page: the example town, imported and open, a draft that an export waits for, an arena
with models that answer, and the run that these are of.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from sqlalchemy import select

from needs import ROOT
from report.sample import sample_data
from report.test_data import write_run
from solon.web.app import create_app
from solon.web.db.statements import add_statement
from solon.web.db.tables import Conversation
from solon.web.serve import listening_socket
from solon.web.settings import Settings
from solon.web.site import Site
from web.test_arena import MODELS, NUMBERS, arena_in, pasted
from web.test_arena_people import arena_for
from web.test_importing import draft, files_of, send
from web.visitor import Visitor, member_of, owner_of

RUN = "harbour"
RIVERSIDE = ROOT / "docs/examples/riverside/export"
WAITING = ("The assistant should say how old its knowledge is.", "Buy shoes at Miller's.", "It should know bus times.")


@dataclass(frozen=True, kw_only=True)
class Town:
    """Where it is."""

    site: Site
    base: str
    talk: str
    """Path of the conversation."""
    draft: str
    """Path of another, in which an export waits to be taken over."""
    arena: str
    """Path of an arena: one pair and a check."""
    people: str
    """Path of another, for those who take part in the conversation."""
    owner: Visitor


@contextmanager
def served_town(folder: Path) -> Iterator[Town]:
    write_run(folder / "runs" / RUN, sample_data(3))
    settings = Settings(folder=folder / "site", port=0, runs=folder / "runs")
    listening = listening_socket(settings)
    settings = settings.model_copy(update={"port": listening.getsockname()[1]})
    app = create_app(settings)
    server = uvicorn.Server(uvicorn.Config(app, log_level="error"))
    running = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    running.start()
    try:
        owner = owner_of(app)
        talk = _town(app.state.site, owner)
        member_of(app, owner, "Omar")
        blank = draft(owner, "An assistant for the county")
        send(owner, blank, files_of(RIVERSIDE))
        places = {"talk": talk, "draft": blank, "arena": live_arena(owner), "people": arena_for(owner, talk)}
        yield Town(site=app.state.site, base=settings.base, owner=owner, **places)
    finally:
        server.should_exit = True
        running.join()
        listening.close()


def _town(site: Site, owner: Visitor) -> str:
    """Open, with votes, statements that wait, one that was rejected, and proposals to decide."""
    at = draft(owner)
    send(owner, at, files_of(RIVERSIDE))
    owner.send("take-over")
    owner.send("/state", state="open")
    with site.database.session(writes=True) as db:
        for text in WAITING:
            add_statement(db, db.scalars(select(Conversation)).one(), text)
        db.commit()
    owner.get(f"{at}/moderate")
    criterion = owner.page.all("input", "textarea")
    first = next(one for one in criterion if one.attributes.get("name") == "criterion")
    owner.send("", {"criterion": str(first.attributes["value"]), "against": "Not now.", "decision": "reject"})
    owner.get(f"{at}/principles")
    owner.send("/principles/look")
    owner.get(f"{at}/principles")
    owner.send("/principles/publish", publish="yes")
    return at


def live_arena(owner: Visitor) -> str:
    """One pair and a check; then judges ask the models of the site's runs."""
    at = arena_in(owner, pasted(1, MODELS[:2]), checks=1, check_percent="0")
    owner.get(f"{at}/arena")
    models = [str(one.attributes["value"]) for one in owner.page.all("input") if one.attributes.get("name") == "live"]
    owner.post(
        f"{at}/arena", [("csrf", owner.csrf), ("check_percent", "0"), *NUMBERS[1:], *(("live", one) for one in models)]
    )
    assert models and owner.status == 200
    return at
