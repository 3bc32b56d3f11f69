"""Voting: one statement at a time; a vote can be changed or taken back for as long as the conversation runs."""

from __future__ import annotations

from solon.collective.conversation import AGREE, DISAGREE, PASS
from solon.report.public.language import mark
from solon.web.access import Access
from solon.web.collect.choosing import next_statement
from solon.web.collect.pages import arenas_for
from solon.web.db import showings, statements, votes
from solon.web.db.tables import Conversation, State, Statement
from solon.web.limits import Limit
from solon.web.routing import action, page
from solon.web.signing import new_token
from solon.web.troubles import Trouble, not_found
from solon.web.visit import Answer, Visit

CHOICES = {"agree": AGREE, "disagree": DISAGREE, "pass": PASS}
"""Values of the buttons."""
LONGEST_TOKEN = 64
VOTES = Limit("vote", 90, 60, of_browser=True)
"""Votes of one participant: nobody reads faster (assumption)."""


def vote(visit: Visit) -> Answer:
    """The next statement. Its form holds the token of this showing, by which a vote counts once."""
    found = next_statement(visit) if visit.talk.state == State.OPEN else None
    voted, total = statements.progress(visit.db, visit.talk, visit.me)
    showing, statement = found or (None, None)
    return visit.render(
        "vote.html.j2",
        showing=showing,
        statement=statement,
        voted=voted,
        total=total,
        last=votes.last_vote(visit.db, visit.me),
        token=new_token(),
        wanting=votes_wanting(visit.talk, voted, total),
        arenas=[] if statement else arenas_for(visit),
    )


def cast(visit: Visit) -> Answer:
    """Only what was shown to this participant can be voted on; a form that is sent twice counts once."""
    require_open(visit.talk)
    token, choice = visit.form["token"], _choice(visit)
    statement = showings.of_token(visit.db, visit.talk, visit.me, token)
    if statement is None:
        raise Trouble(409, mark("That statement is gone"), mark("Your vote was not saved. Go on with another one."))
    votes.cast(visit.db, visit.me, statement, choice, token)
    return visit.go("vote", slug=visit.talk.slug)


def own_votes(visit: Visit) -> Answer:
    return visit.render("own-votes.html.j2", votes=votes.own_votes(visit.db, visit.me), token=new_token())


def change(visit: Visit) -> Answer:
    """Another vote on what one voted on before."""
    require_open(visit.talk)
    votes.cast(visit.db, visit.me, _own(visit), _choice(visit), _token(visit))
    return visit.go("own_votes", slug=visit.talk.slug)


def undo(visit: Visit) -> Answer:
    """Take a vote back and see its statement again."""
    require_open(visit.talk)
    statement = _own(visit)
    if votes.cast(visit.db, visit.me, statement, None, _token(visit)):
        showings.show(visit.db, visit.me, statement, None)
    return visit.go("vote", slug=visit.talk.slug)


def require_open(talk: Conversation) -> None:
    if talk.state != State.OPEN:
        raise Trouble(409, mark("This conversation is closed"), mark("Nobody can vote or write any more."))


def votes_wanting(talk: Conversation, voted: int, total: int) -> int:
    """How many votes somebody has to cast before they can write a statement: so many, or all there are."""
    return max(0, min(talk.votes_before_writing, total) - voted)


def _choice(visit: Visit) -> int:
    found = CHOICES.get(visit.form["vote"])
    if found is None:
        raise Trouble(422, mark("No vote was chosen"), mark("Choose agree, disagree or pass."))
    return found


def _token(visit: Visit) -> str:
    found = visit.form["token"]
    if not 0 < len(found) <= LONGEST_TOKEN:
        raise Trouble(
            422, mark("The form could not be read"), mark("Nothing was saved. Go back and send it once more.")
        )
    return found


def _own(visit: Visit) -> Statement:
    """A statement of the address that this participant has voted on. There is no other way to it."""
    found = statements.by_number(visit.db, visit.talk, visit.number("number"))
    if found is None or not votes.has_voted(visit.db, visit.me, found):
        raise not_found()
    return found


PAGES = (
    page("/c/{slug}/vote", vote, Access.PARTICIPANT, writes=True),
    action("/c/{slug}/vote", cast, Access.PARTICIPANT, limit=VOTES),
    page("/c/{slug}/votes", own_votes, Access.PARTICIPANT),
    action("/c/{slug}/votes/{number:row}", change, Access.PARTICIPANT, limit=VOTES),
    action("/c/{slug}/votes/{number:row}/undo", undo, Access.PARTICIPANT, limit=VOTES),
)
