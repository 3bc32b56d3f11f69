"""Small publics, and what comes of them."""

from __future__ import annotations

from solon.town.public import Public, the_public

AGREED = ("no harmful advice", "no rudeness in the answers.", "no bad manners", "no evasiveness")
SPLIT = ("no preaching", "no moralising", "no lecturing", "A short sermon", "no slang")
WRITTEN = ("no hedging", "no pontificating", "Buy your umbrella")


def small_public(people: int = 10) -> Public:
    """The public that ships with so many people in either district, and some of its statements."""
    whole = the_public()
    picked = (one for one in whole.statement if any(part in one.text for part in AGREED + SPLIT + WRITTEN))
    return whole.model_copy(
        update={
            "district": tuple(one.model_copy(update={"people": people}) for one in whole.district),
            "statement": tuple(
                one if one.author is None else one.model_copy(update={"author": one.author % people}) for one in picked
            ),
        }
    )
