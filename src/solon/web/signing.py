"""Signatures, hashes of tokens, and tokens against forged forms, all from the site's one secret.

A token is 256 random bits. The database has its keyed hash alone: who reads the database can use none of them.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass


def new_token() -> str:
    """For a link or a session: nobody guesses it."""
    return secrets.token_urlsafe(32)


@dataclass(frozen=True)
class Signer:
    """Each purpose has a key of its own, so that what is made for one is worth nothing for another."""

    secret: bytes

    def sign(self, text: str) -> str:
        """The text with its signature, for a cookie."""
        return f"{text}.{self._mac('sign', text)}"

    def signed(self, found: str) -> str | None:
        """The text, if the signature is ours."""
        text, _, signature = found.rpartition(".")
        return text if _same(signature, self._mac("sign", text)) else None

    def hashed(self, token: str) -> str:
        """What the database keeps of a token. Rows are found by it, so times tell nothing about the token itself."""
        return self._mac("token", token)

    def form_token(self, session: str) -> str:
        """What every form of a session carries."""
        return self._mac("form", session)

    def is_form_token(self, session: str, found: str) -> bool:
        return _same(found, self.form_token(session))

    def _mac(self, purpose: str, text: str) -> str:
        key = hmac.digest(self.secret, purpose.encode(), hashlib.sha256)
        return hmac.new(key, text.encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()


def _same(one: str, other: str) -> bool:
    """In the same time wherever they differ."""
    return hmac.compare_digest(one.encode("utf-8", "surrogatepass"), other.encode("utf-8", "surrogatepass"))
