"""The session of a browser: a signed cookie that holds a random id and the day it was given, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import time

from starlette.requests import Request
from starlette.responses import Response

from solon.web.signing import Signer, new_token

DAY = 86_400
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
        if id and given.isdecimal() and today - int(given) <= KEPT // DAY:
            return cls(signer=signer, id=id, given=int(given), secure=secure)
        return cls(signer=signer, id=new_token(), given=today, secure=secure, known=False)

    @property
    def hash(self) -> str:
        """How the database knows it."""
        return self.signer.hashed(self.id)

    @property
    def form_token(self) -> str:
        return self.signer.form_token(self.id)

    def renew(self) -> None:
        """Another id, which nobody can have planted."""
        self.id, self.known = new_token(), False

    def leave_cookies(self, response: Response) -> None:
        """On every response; the session's only where it is new or older than a day."""
        today = int(time() // DAY)
        if not self.known or self.given < today:
            self._set(response, "session", self.signer.sign(f"{self.id}.{today}"))
        for name, value in self.cookies.items():
            self._set(response, name, value)

    def _set(self, response: Response, name: str, value: str) -> None:
        name = cookie_name(name, secure=self.secure)
        response.set_cookie(name, value, max_age=KEPT, path="/", httponly=True, samesite="lax", secure=self.secure)


def cookie_name(name: str, *, secure: bool) -> str:
    """Over HTTPS, a name that other hosts of a domain cannot set."""
    return f"__Host-solon-{name}" if secure else f"solon-{name}"
