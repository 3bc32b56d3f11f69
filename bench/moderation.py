"""A thousand statements that wait, decided one after the other: what a decision costs, in votes.

A server process of its own (`solon serve`) is spoken to over HTTP. A moderator accepts two statements of three, and
rejects the third, each with the page that comes next; a participant votes, each time with the next statement. Both
take turns, so that whatever else the machine does slows both alike, and the server's own processor time is counted.

Promise: a decision costs as much as 10 votes at most (a vote with its page takes about 20 ms of a core, so a thousand
decisions take some minutes of the machine, and the afternoon is the moderator's). Exits with 1 where it is broken.
Run: `python bench/moderation.py`; `--statements` for another number.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import random
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import psutil
from simulated.visitors import Answer, Visitor
from site_load import SOLON, Server, free_port

from solon.report.public.language import ENGLISH
from solon.web.collect.moderating import usual_criteria
from solon.web.db.conversations import new_conversation
from solon.web.db.statements import add_statement
from solon.web.db.tables import State
from solon.web.serve import owner_link
from solon.web.settings import Settings
from solon.web.site import Site

MOST_VOTES = 10
BLOCK = 50
"""Decisions, and votes, in one turn."""
WHO = ("An assistant", "A model", "It", "Every answer", "A machine", "The software", "A chatbot", "The system")
DOES = ("should say", "must explain", "may tell", "should never hide", "ought to ask", "must show", "should check")
WHAT = ("what it does not know", "who made it", "where a fact comes from", "how sure it is", "why it refuses", "a risk")
WHEN = ("at once", "in plain words", "to children", "to a doctor", "before it answers", "if somebody asks", "at work")


@dataclass
class Spent:
    """By the server, of its processor, and in all."""

    number: int = 0
    processor: float = 0.0
    wall: float = 0.0

    def line(self, name: str) -> str:
        each = [1e3 * one / self.number for one in (self.processor, self.wall)]
        return f"{name}: {self.number}, each {each[0]:.0f} ms of the server's processor, {each[1]:.0f} ms in all"


def prepared(site: Site, count: int) -> str:
    """The address of a conversation with so many statements that wait."""
    texts = [" ".join(words) + "." for words in itertools.product(WHO, DOES, WHAT, WHEN)]
    random.Random(0).shuffle(texts)
    with site.database.session(writes=True) as db:
        criteria = usual_criteria(ENGLISH)
        talk = new_conversation(db, topic="A flood", state=State.OPEN, criteria=criteria, second_look=False)
        for nth in range(200):
            add_statement(db, talk, f"First statement {nth}.", moderated=1)
        for text in texts[:count]:
            add_statement(db, talk, text, moderated=0)
        db.commit()
        return f"/c/{talk.slug}"


async def decide(moderator: Visitor, page: Answer, nth: int) -> Answer:
    """On the statement of this page. Returns the next one."""
    where = page.body.split('class="deciding"')[0].rpartition('action="')[2].partition('"')[0]
    fields = {"csrf": page.hidden("csrf"), "seen": page.hidden("seen"), "decision": "accept", "reason": "It is fine."}
    if nth % 3 == 2:
        criterion = usual_criteria(ENGLISH).splitlines()[0]
        fields |= {"decision": "reject", "criterion": criterion, "against": "It is about something else."}
    answer = await moderator.post(where, fields)
    assert answer.status == 303, answer.body
    return await moderator.get(answer.headers["location"])


async def vote(voter: Visitor, at: str, page: Answer) -> Answer:
    fields = {"csrf": page.hidden("csrf"), "token": page.hidden("token"), "vote": "agree"}
    answer = await voter.post(f"{at}/vote", fields)
    assert answer.status == 303, answer.body
    return await voter.get(f"{at}/vote")


async def signed_in(server: Server, site: Site) -> Visitor:
    """As the owner. A server that begins makes a link of its own, which ends those before: so ask until one holds."""
    visitor = Visitor(server.port, "10.0.0.1")
    while True:
        link = owner_link(site).removeprefix(site.settings.base)
        asked = await visitor.get(link)
        if asked.status == 200:
            await visitor.post(link, {"csrf": asked.hidden("csrf")})
            return visitor
        await asyncio.sleep(0.2)


async def measured(server: Server, site: Site, at: str, count: int) -> tuple[Spent, Spent]:
    await server.start()
    assert server.running is not None
    moderator, decisions, votes = await signed_in(server, site), Spent(), Spent()
    page = await moderator.get(f"{at}/moderate")
    while decisions.number < count:
        voter = Visitor(server.port, f"10.0.1.{decisions.number // BLOCK}")
        asked = await voter.get(f"{at}/join")
        await voter.post(f"{at}/join", {"csrf": asked.hidden("csrf"), "consent": "yes"})
        shown = await voter.get(f"{at}/vote")
        for spent in (votes, decisions):
            started, used = time.perf_counter(), _used(server.running)
            for _ in range(min(BLOCK, count - decisions.number)):
                if spent is votes:
                    shown = await vote(voter, at, shown)
                else:
                    page = await decide(moderator, page, spent.number)
                spent.number += 1
            spent.wall += time.perf_counter() - started
            spent.processor += _used(server.running) - used
    return decisions, votes


def _used(process: psutil.Popen) -> float:
    return float(sum(process.cpu_times()[:2]))


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--statements", type=int, default=1000)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        site, port = Site(Settings(folder=Path(folder))), free_port()
        at = prepared(site, asked.statements)
        url = f"http://127.0.0.1:{port}"
        server = Server([SOLON, "serve", "--folder", folder, "--port", str(port), "--url", url], port)
        try:
            decisions, votes = asyncio.run(measured(server, site, at, asked.statements))
        finally:
            server.end()
    ratio = (decisions.processor / decisions.number) / (votes.processor / votes.number)
    print(decisions.line("decisions"), votes.line("votes"), sep="\n")
    print(f"a decision with its page costs as much as {ratio:.1f} votes")
    print(f"promises: {'broken' if ratio > MOST_VOTES else 'kept'}")
    return int(ratio > MOST_VOTES)


if __name__ == "__main__":
    sys.exit(main())
