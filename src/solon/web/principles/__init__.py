"""From votes to a constitution: ideas with their numbers, merges, words, a rule, and the file that a run reads.

desk         what every page here stands on: the votes as they are now, and what was decided
overview     all ideas, sorted and filtered; the rule; the files
one          one idea: its words, its place, what it is merged with
proposals    statements that may say the same, one pair after the other
became       for everybody, once it is published: what became of the conversation
"""

from solon.web.principles import became, one, overview, proposals

PAGES = (*overview.PAGES, *one.PAGES, *proposals.PAGES, *became.PAGES)
