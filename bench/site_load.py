"""Two hundred people vote and write on a site at once: how long it takes them, and whether anything is lost.

A server process of its own (`solon serve`) is spoken to over HTTP, by people of whom each keeps cookies and a
connection and has an address of their own, as behind a proxy. A person reads the next statement for `--think` seconds,
drawn evenly (5 to 10: a fast reader), votes, and writes a statement of their own instead of every tenth vote.
`--think 0 0`: nobody thinks, everybody sends as fast as they are answered; that is the most votes a second.

`--kills N`: the server is killed with SIGKILL so many times, evenly spread, and started again; people send again what
was not answered. Then the database is looked into: every acknowledged vote is there exactly once, every acknowledged
statement once, the vote that counts is the newest of the log, and SQLite finds its file whole.

Promises: 95% of the answers in under 300 ms while people think and nobody kills; nothing lost, ever. Exits with 1
where one is broken. On a machine that others use, times are upper bounds; processor time is the server's own.

Run: `python bench/site_load.py` (SQLite), `--postgres` (a server of its own, which keeps what it commits), with
`--kills 10`, `--think 0 0`, `--workers N`; `--people`, `--seconds`.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from simulated import postgresql
from simulated.visitors import Visitor
from sqlalchemy import func, select, text

from solon.web.db.conversations import new_conversation
from solon.web.db.statements import add_statement
from solon.web.db.tables import Standing, State, Statement, Vote
from solon.web.settings import Settings
from solon.web.site import Site

MOST_P95 = 0.3
"""Seconds."""
SEEDS = 100
BEFORE_WRITING = 3
WRITES_ONE_IN = 10
SOLON = str(Path(sys.executable).with_name("solon"))
VOTES = {"agree": 1, "disagree": -1, "pass": 0}


@dataclass
class Server:
    """`solon serve`, which may be killed and started again on the same port."""

    command: list[str]
    port: int
    used: float = 0.0
    """Seconds of processor time of those that ended."""
    running: psutil.Popen | None = None

    async def start(self) -> None:
        self.running = psutil.Popen(self.command, stdout=subprocess.DEVNULL)
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(0.05)
                continue
            writer.close()
            return

    def end(self) -> None:
        """Whatever happened before."""
        if self.running is not None and self.running.is_running():
            self.kill()

    def kill(self) -> None:
        """With its workers."""
        assert self.running is not None
        family = [self.running, *self.running.children(recursive=True)]
        self.used += sum(sum(one.cpu_times()[:2]) for one in family)
        for one in family:
            one.kill()
        self.running.wait()


@dataclass
class Told:
    """What people know of that was acknowledged."""

    votes: dict[str, int] = field(default_factory=dict)
    """By the token of their form."""
    statements: list[str] = field(default_factory=list)
    cycles: list[float] = field(default_factory=list)
    """Seconds from a vote to the next statement."""
    statuses: Counter[int] = field(default_factory=Counter)


async def person(number: int, at: str, visitor: Visitor, told: Told, ends: float, think: tuple[float, float]) -> None:
    """Joins, then votes and writes until the time is over."""
    draws = random.Random(number)
    await asyncio.sleep(draws.uniform(0, think[1]))
    asked = await visitor.get(f"{at}/join")
    joined = await visitor.post(f"{at}/join", {"csrf": asked.hidden("csrf"), "consent": "yes"})
    page = await visitor.get(joined.headers["location"])
    voted = 0
    while time.monotonic() < ends:
        await asyncio.sleep(draws.uniform(*think))
        if voted >= BEFORE_WRITING and draws.random() * WRITES_ONE_IN < 1:
            await write(number, len(told.statements), at, visitor, told)
        if 'name="token"' not in page.body or 'class="agree"' not in page.body:
            return
        choice = draws.choice(list(VOTES))
        token, started = page.hidden("token"), time.perf_counter()
        answer = await visitor.post(f"{at}/vote", {"csrf": page.hidden("csrf"), "token": token, "vote": choice})
        told.statuses[answer.status] += 1
        if answer.status == 303:
            told.votes[token] = VOTES[choice]
            voted += 1
        page = await visitor.get(f"{at}/vote")
        told.cycles.append(time.perf_counter() - started)


async def write(number: int, nth: int, at: str, visitor: Visitor, told: Told) -> None:
    page = await visitor.get(f"{at}/write")
    said = f"Thought {nth} of person {number} is about {random.Random(nth).getrandbits(64):x}."
    answer = await visitor.post(f"{at}/write", {"csrf": page.hidden("csrf"), "text": said, "anyway": "yes"})
    told.statuses[answer.status] += 1
    if answer.status == 200:
        told.statements.append(said)


async def trouble(server: Server, kills: int, seconds: float) -> None:
    """Kills the server, evenly spread over the time."""
    for _ in range(kills):
        await asyncio.sleep(seconds / (kills + 1))
        server.kill()
        await server.start()


async def crowd(server: Server, at: str, asked: argparse.Namespace) -> tuple[list[Visitor], Told, float]:
    """Everybody at once. Returns the seconds that it took, too."""
    await server.start()
    told, started = Told(), time.monotonic()
    visitors = [Visitor(server.port, f"10.0.{one // 250}.{one % 250 + 1}") for one in range(asked.people)]
    ends, think = started + asked.seconds, tuple(asked.think)
    people = [person(number, at, one, told, ends, think) for number, one in enumerate(visitors)]
    await asyncio.gather(*people, trouble(server, asked.kills, asked.seconds))
    return visitors, told, time.monotonic() - started


def prepared(site: Site) -> str:
    """The address of an open conversation."""
    with site.database.session(writes=True) as db:
        talk = new_conversation(db, topic="Load", state=State.OPEN, votes_before_writing=BEFORE_WRITING)
        for at in range(SEEDS):
            add_statement(db, talk, f"Statement {at} is one of those that everybody sees first.", moderated=1)
        db.commit()
        return f"/c/{talk.slug}"


def lost(site: Site, told: Told) -> list[str]:
    """What the database says otherwise than people were told."""
    found = []
    with site.database.session(writes=False) as db:
        votes = {row.token: row.vote for row in db.execute(select(Vote.token, Vote.vote))}
        rows = db.scalar(select(func.count()).select_from(Vote)) or 0
        written = Counter(db.scalars(select(Statement.text).where(~Statement.is_seed)))
        newest = select(func.max(Vote.id)).group_by(Vote.participant_id, Vote.statement_id)
        standing = set(db.scalars(select(Standing.vote_id)))
        if any(votes.get(token) != vote for token, vote in told.votes.items()):
            found.append("an acknowledged vote is not there, or another one")
        if rows != len(told.votes) + len(told.statements) or len(votes) != rows:
            found.append(f"{rows} votes for {len(told.votes)} acknowledged and {len(told.statements)} statements")
        if written != Counter(told.statements):
            found.append("statements are not those that were acknowledged, each once")
        if standing != set(db.scalars(newest)):
            found.append("a vote that counts is not the newest of the log")
        if db.get_bind().dialect.name == "sqlite":
            found += [one for one in db.scalars(text("PRAGMA integrity_check")) if one != "ok"]
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--people", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=120.0)
    parser.add_argument("--think", type=float, nargs=2, default=[5.0, 10.0], metavar=("LEAST", "MOST"))
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--postgres", action="store_true")
    return parser.parse_args()


def main() -> int:
    asked = options()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        database = ""
        if asked.postgres:
            program = postgresql.postgres()
            assert program is not None, "no PostgreSQL on this machine"
            database = postgresql.url(stack.enter_context(postgresql.server(program, durable=True)))
        site, port = Site(Settings(folder=folder, database=database)), free_port()
        at = prepared(site)
        command = [SOLON, "serve", "--folder", str(folder), "--port", str(port), "--url", f"http://127.0.0.1:{port}"]
        command += ["--database", database] if database else []
        command += ["--workers", str(asked.workers)] if asked.workers > 1 else []
        server = Server(command, port)
        stack.callback(server.end)
        visitors, told, seconds = asyncio.run(crowd(server, at, asked))
        server.kill()
        return say(asked, visitors, told, seconds, server.used, lost(site, told))


def say(
    asked: argparse.Namespace, visitors: list[Visitor], told: Told, seconds: float, used: float, faults: list[str]
) -> int:
    answers = np.array([one for visitor in visitors for one in visitor.seconds])
    p50, p95, p99 = np.percentile(answers, [50, 95, 99])
    cycle = np.percentile(told.cycles, 95)
    votes = len(told.votes)
    name = f"{'PostgreSQL' if asked.postgres else 'SQLite'}, {asked.people} people, think {asked.think}"
    print(f"{name}, {asked.workers} workers, {asked.kills} kills, {seconds:.0f} s")
    print(f"votes {votes} ({votes / seconds:.1f}/s), statements {len(told.statements)}, answers {len(answers)}")
    print(
        f"answers: p50 {p50 * 1e3:.0f} ms, p95 {p95 * 1e3:.0f} ms, p99 {p99 * 1e3:.0f} ms, most {answers.max():.1f} s"
    )
    print(f"vote to next statement: p95 {cycle * 1e3:.0f} ms; sent again {sum(one.again for one in visitors)}")
    print(f"server: {used:.1f} s of processor, {used / max(1, votes) * 1e3:.1f} ms a vote")
    print(f"statuses {dict(told.statuses)}; lost: {'; '.join(faults) or 'nothing'}")
    judged = asked.kills == 0 and asked.think[1] > 0
    broken = bool(faults) or (judged and p95 > MOST_P95)
    print(f"promises: {'broken' if broken else 'kept'}")
    return int(broken)


if __name__ == "__main__":
    sys.exit(main())
