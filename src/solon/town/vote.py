"""A conversation held on a site, by its pages alone: begun, voted in, written in, moderated, exported."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from solon.artifacts.atomic import storage_errors
from solon.errors import ProcessError
from solon.town.elements import Element
from solon.town.public import Person, Public, TownStatement
from solon.town.site import Served
from solon.town.visitor import Visitor

AT_ONCE = 4
"""People who vote at the same time. Two cores are busy with four."""
FIRST_VOTES = 10
"""Before one may write."""
MODERATORS = ("Ines", "Olaf")
"""Two: whoever rejects a statement, somebody else has a second look."""
T = TypeVar("T")
Tell = Callable[[int], None]
"""Told of votes that were cast."""


def hold(public: Public, seed: int, site: Served, export: Path, browsers: Path, tell: Tell) -> None:
    """The whole of it. `export`: the folder that the organiser's export is unpacked into; it must not be there.
    `browsers`: where everybody's cookies are kept, by their number, so that they can come back.

    Statements get their numbers in the order of `public`: people who write do so one after the other, before all others
    vote. Who votes is of no consequence for what they vote, so the same seed gives the same votes.
    """
    owner = signed_in(site, site.link)
    at = _begin(owner, public)
    moderators = [_moderator(owner, site, at, name) for name in MODERATORS]
    said = {one.text: one for one in public.statement}
    everybody = [_Voter(site, at, person, public, said, tell) for person in public.people(seed)]
    for one in public.written:
        assert one.author is not None
        everybody[one.author].write(one)
        _decide(moderators, at, one)
    together(everybody, _Voter.vote_on_all)
    for voter in everybody:
        voter.browser.keep(browsers / str(voter.person.number))
    owner.get(f"{at}/manage")
    owner.send("/state", state="closed")
    _unpack(owner.download(f"{at}/export/organiser"), export)


def together(everybody: Sequence[T], work: Callable[[T], None]) -> None:
    """All do it, a few at a time. If one fails, those who have not begun do not."""
    pool = ThreadPoolExecutor(AT_ONCE)
    try:
        list(pool.map(work, everybody))
    finally:
        pool.shutdown(cancel_futures=True)


def signed_in(site: Served, link: str) -> Visitor:
    """Somebody who runs the site, by their link."""
    visitor = Visitor(site.base, "192.0.2.1")
    visitor.get(link)
    visitor.send(link)
    return visitor


def _begin(owner: Visitor, public: Public) -> str:
    """An open conversation with the organisers' statements; its address."""
    owner.get("/begin")
    owner.send("/begin", topic=public.topic)
    at = owner.at.removesuffix("/manage")
    owner.get(f"{at}/settings")
    owner.send(
        "/settings",
        organiser=public.organiser,
        description=public.description,
        language="en",
        population=public.population(),
        votes_before_writing=str(FIRST_VOTES),
    )
    owner.send("/seeds", seeds="\n".join(one.text for one in public.seeds))
    owner.send("/state", state="open")
    return at


def _moderator(owner: Visitor, site: Served, at: str, name: str) -> Visitor:
    """Somebody of the team, who has opened their link."""
    owner.get("/team")
    owner.send("/team", name=name)
    link = next(one.text for one in owner.page.all("code")).removeprefix(site.base)
    owner.get(f"{at}/manage")
    owner.sends(next(one for one in owner.page.all("form") if name in one.text), {"role": "moderator"})
    return signed_in(site, link)


def _decide(moderators: Sequence[Visitor], at: str, one: TownStatement) -> None:
    """By one moderator, and a rejection by the second one, too."""
    for moderator in moderators if one.rejected else moderators[:1]:
        moderator.get(f"{at}/moderate")
        if moderator.heading != one.text:
            raise ProcessError(f"“{one.text}” should wait for a moderator, but it is “{moderator.heading}” that does")
        moderator.sends(_deciding(moderator.page, one), _decision(one))


def _deciding(page: Element, one: TownStatement) -> Element:
    wanted = "criterion" if one.rejected else "reason"
    fields = (form for form in page.all("form") if any(x.attributes.get("name") == wanted for x in form.all("input")))
    return next(fields)


def _decision(one: TownStatement) -> Mapping[str, str]:
    if one.rejected:
        return {"decision": "reject", "criterion": one.rejected, "against": one.why}
    return {"decision": "accept"}


def address(person: Person) -> str:
    """Where somebody comes from: everybody from somewhere else."""
    number = person.number + 1
    return f"198.18.{number // 250}.{number % 250 + 1}"


class _Voter:
    """A person at their browser."""

    def __init__(
        self, site: Served, at: str, person: Person, public: Public, said: Mapping[str, TownStatement], tell: Tell
    ) -> None:
        self.browser = Visitor(site.base, address(person))
        self.at, self.person, self.said, self.tell = at, person, said, tell
        self.home = public.district[person.district].name
        self.joined = False

    def vote_on_all(self) -> None:
        """Until nothing is left."""
        self.join()
        self._vote(most=len(self.said))

    def write(self, one: TownStatement) -> None:
        """After as many votes as it takes. The site may say that others said nearly the same; then it is sent all the
        same."""
        self.join()
        self._vote(most=FIRST_VOTES)
        self.browser.get(f"{self.at}/write")
        self.browser.insist("/write", {"text": one.text})

    def join(self) -> None:
        """Consent, and where they live."""
        if self.joined:
            return
        self.browser.get(f"{self.at}/join")
        self.browser.send("/join", consent="yes")
        self.browser.send("/questions", q0=self.home)
        self.joined = True

    def _vote(self, most: int) -> None:
        self.browser.get(f"{self.at}/vote")
        for _ in range(most):
            if not self.browser.has_form("/vote"):
                return
            statement = self.said.get(self.browser.heading)
            if statement is None:
                raise ProcessError(f"the site shows a statement that nobody wrote: {self.browser.heading}")
            self.browser.send("/vote", vote=self.person.vote(statement))
            self.tell(1)


def _unpack(archive: bytes, folder: Path) -> None:
    """Whole or not at all."""
    new = folder.with_name(f"{folder.name}.new")
    with storage_errors(folder):
        with zipfile.ZipFile(io.BytesIO(archive)) as packed:
            for one in packed.infolist():
                new.mkdir(parents=True, exist_ok=True)
                (new / Path(one.filename).name).write_bytes(packed.read(one))
        new.rename(folder)
