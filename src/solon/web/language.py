"""The language of a page: by link, then as before, then as the browser asks."""

from __future__ import annotations

import re
from functools import cache

from starlette.requests import Request

from solon.report.public.catalogue import language_of, shipped_languages
from solon.report.public.language import ENGLISH, Language

PACKAGE = "solon.web"
NAMES = {
    "en": "English",
    "ar": "العربية",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "zh": "中文",
}
"""As their readers call them."""
COOKIE = "language"
_WISH = re.compile(r"\s*([a-zA-Z]{1,8})(?:-[a-zA-Z0-9-]+)?\s*(?:;\s*q\s*=\s*([0-9.]{1,5}))?\s*")


@cache
def languages() -> dict[str, str]:
    """Those that the site speaks: their names by their tags."""
    return {tag: NAMES.get(tag, tag) for tag in shipped_languages(PACKAGE)}


@cache
def spoken(tag: str) -> Language:
    """The site's texts, and below them those of the public report, whose parts its pages show."""
    if tag == "en":
        return ENGLISH
    site = language_of(tag, package=PACKAGE)
    site.texts.add_fallback(language_of(tag).texts)
    return site


def asked_for(request: Request) -> str | None:
    """What a link chose."""
    tag = request.query_params.get(COOKIE, "")
    return tag if tag in languages() else None


def chosen(request: Request, cookie: str) -> str:
    """The language to answer in."""
    if (tag := asked_for(request)) is not None:
        return tag
    return cookie if cookie in languages() else preferred(request.headers.get("accept-language", ""))


def preferred(header: str) -> str:
    """The first language of an `Accept-Language` header that the site speaks; English if there is none.

    >>> preferred("nl, de-AT;q=0.8, en;q=0.5")
    'de'
    """
    wishes = []
    for place, part in enumerate(header[:500].split(",")):
        found = _WISH.fullmatch(part)
        weight = float(found[2] or 1) if found and re.fullmatch(r"[0-9]*\.?[0-9]+|[0-9]+\.", found[2] or "1") else 0.0
        if found and weight > 0 and found[1].lower() in languages():
            wishes.append((-weight, place, found[1].lower()))
    return min(wishes)[2] if wishes else "en"
