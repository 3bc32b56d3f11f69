"""Public input: conversations in which people vote on each other's statements.

joining      invitation, consent, questions about oneself
voting       one statement at a time; changed and taken back
writing      a statement of one's own; leaving
moderating   decisions on statements, and what everybody may know of them
removing     people who flood the conversation
results      the analysis while the conversation runs, its report, its export
importing    a Polis export into a draft, looked at first
running      for organisers: settings, statements, invitations, roles
"""

from solon.web.collect import importing, joining, moderating, pages, removing, results, running, voting, writing
from solon.web.db.tables import Kind
from solon.web.routing import of_kind

OF_STATEMENTS = (
    *voting.PAGES,
    *writing.PAGES,
    *moderating.PAGES,
    *removing.PAGES,
    *results.PAGES,
    *importing.PAGES,
    *running.OF_STATEMENTS,
)
PAGES = (
    *pages.PAGES,
    *joining.PAGES,
    *writing.LEAVING,
    *running.PAGES,
    *of_kind(Kind.STATEMENTS, *OF_STATEMENTS),
)
"""All but the last are those of arenas too."""
