"""Arenas: people compare answers of models blindly, as crowdworkers did for both papers.

An arena is a conversation of another kind: invitation, consent, questions, roles, leaving are those of `collect`.

running      for organisers: where answers come from, checks of attention, settings
sources      answers of runs in a folder, and of files
choosing     which pair a judge sees next, and which side is which
comparing    a pair, and what its judge says of it
asking       a live arena: a judge's own prompt, in several turns
answering    the models behind it, in the line of everybody who asks models
results      ratings with their intervals, agreement, who attends; the files of games
"""

from solon.web.arena import asking, comparing, results, running
from solon.web.db.tables import Kind
from solon.web.routing import of_kind

PAGES = (
    *running.BEGINNING,
    *of_kind(Kind.STATEMENTS, *running.OF_STATEMENTS),
    *of_kind(Kind.ARENA, *running.PAGES, *comparing.PAGES, *asking.PAGES, *results.PAGES),
)
