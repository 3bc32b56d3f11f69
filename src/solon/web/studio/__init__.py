"""The studio: pages over a folder of runs, for those who are signed in. Nothing here changes a run.

overview    how far a run is, and what it achieved
pages       the list, one run, its live part, its report, its files
shelves     the rows of a run that can be read: filtered and searched without holding them
reading     a page of them
tracing     `solon trace` as a page
comparing   `solon compare` as a page
"""

from solon.web.studio import comparing, pages, reading, tracing

PAGES = (*pages.PAGES, *reading.PAGES, *tracing.PAGES, *comparing.PAGES)
