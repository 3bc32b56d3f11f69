"""The cookies of a browser: a signed one that holds a random id and the day it was given; the token of a sign-in.

That of a sign-in comes with requests from this site's own pages alone (`SameSite=Strict`): no other site has a member
do anything, or look. That of a participant comes with links from elsewhere too (`Lax`), and with no form from there:
were it not sent, whoever comes back by a link from their mail would be somebody else, and lose their votes.

The id stays as it is for as long as the browser is used, so that no lost answer locks anybody out.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time
from typing import Literal

from starlette.requests import Request
from starlette.responses import Response

from solon.web.signing import Signer, new_token

DAY = 86_400
SIGN_IN = "member"
KEPT = 180 * DAY
"""Seconds that a session lives after its last renewal."""


@dataclass
class Browser:
    """One browser. Its id is as good as a key and is written nowhere; the database has the hash."""

    signer: Signer
    id: str
    given: int
    """Day since 1970 on which the cookie was given."""
    secure: bool
    """Does it come over HTTPS?"""
    sign_in: str = ""
    """The token that a member's sign-in gave it: never one that somebody can have planted before."""
    known: bool = True
    """Did it send a cookie of ours?"""
    cookies: dict[str, str] = field(default_factory=dict)
    """Others to set, such as the language."""

    @classmethod
    def of(cls, request: Request, signer: Signer) -> Browser:
        """Of the cookie, if it is ours and not too old; else a new one."""
        secure = request.url.scheme == "https"
        text = signer.signed(request.cookies.get(cookie_name("session", secure=secure), "")) or ""
        id, _, given = text.rpartition(".")
        today = int(time() // DAY)
        sign_in = request.cookies.get(cookie_name(SIGN_IN, secure=secure), "")
        if id and given.isdecimal() and today - int(given) <= KEPT // DAY:
            return cls(signer=signer, id=id, given=int(given), secure=secure, sign_in=sign_in)
        return cls(signer=signer, id=new_token(), given=today, secure=secure, sign_in=sign_in, known=False)

    @property
    def hash(self) -> str:
        """How the database knows it."""
        return self.signer.hashed(self.id)

    @property
    def member_hash(self) -> str:
        """How the database knows the sign-in of this browser; empty: it has none."""
        return self.signer.hashed(self.sign_in) if self.sign_in else ""

    @property
    def form_token(self) -> str:
        return self.signer.form_token(self._forms)

    def is_form_token(self, found: str, *, of_member: bool) -> bool:
        """of_member: on a page for members. Others may have been opened by a link from elsewhere, and then without the
        sign-in, with which their forms are sent."""
        own = self.signer.is_form_token(self._forms, found)
        return own or (not of_member and self.signer.is_form_token(self.id, found))

    @property
    def _forms(self) -> str:
        """What its forms belong to: a planted id is worth nothing against a member."""
        return f"{self.id}.{self.sign_in}" if self.sign_in else self.id

    def renew_sign_in(self) -> None:
        """Another token, which nobody can have planted."""
        self.sign_in = self.cookies[SIGN_IN] = new_token()

    def leave_cookies(self, response: Response) -> None:
        """On every response; the session's only where it is new or older than a day."""
        today = int(time() // DAY)
        if not self.known or self.given < today:
            self._set(response, "session", self.signer.sign(f"{self.id}.{today}"))
        for name, value in self.cookies.items():
            self._set(response, name, value)

    def _set(self, response: Response, name: str, value: str) -> None:
        site: Literal["strict", "lax"] = "strict" if name == SIGN_IN else "lax"
        name = cookie_name(name, secure=self.secure)
        response.set_cookie(name, value, max_age=KEPT, path="/", httponly=True, samesite=site, secure=self.secure)


def cookie_name(name: str, *, secure: bool) -> str:
    """Over HTTPS, a name that other hosts of a domain cannot set."""
    return f"__Host-solon-{name}" if secure else f"solon-{name}"
