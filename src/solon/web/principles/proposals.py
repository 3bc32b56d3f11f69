"""Statements that may say the same, and such as a person should look at, decided on as by `solon collect merge`."""

from __future__ import annotations

from solon.collective.principles import deciding
from solon.collective.principles.merges import Decision
from solon.web.access import Access
from solon.web.principles.desk import change, require_desk
from solon.web.routing import action, page
from solon.web.troubles import not_found
from solon.web.visit import Answer, Visit

DECISIONS: dict[str, Decision] = {"yes": "yes", "no": "no", "open": ""}


def proposals(visit: Visit) -> Answer:
    return _proposals(visit, [])


def decide_proposal(visit: Visit) -> Answer:
    merge, wanted, words = visit.form["merge"], visit.form["decision"], visit.form.line("words")
    if wanted not in DECISIONS:
        raise not_found()
    decision = DECISIONS[wanted]
    faults = change(
        visit,
        lambda desk: deciding.decided(desk.draft.merges, merge, decision, words),
        "principles: proposal",
        merge=merge[:80],
        decision=wanted,
    )
    return _proposals(visit, faults) if faults else visit.go("proposals", slug=visit.talk.slug)


def _proposals(visit: Visit, faults: list[str]) -> Answer:
    desk = require_desk(visit)
    merges = desk.draft.merges
    return visit.render(
        "proposals.html.j2",
        status=422 if faults else 200,
        desk=desk,
        faults=faults,
        open=[one for one in merges.merge if not one.decision],
        decided=[one for one in merges.merge if one.decision],
        odd=[one for one in merges.wording if not one.decision],
    )


PAGES = (
    page("/c/{slug}/principles/proposals", proposals, Access.ORGANISER),
    action("/c/{slug}/principles/proposals", decide_proposal, Access.ORGANISER, writes=False),
)
