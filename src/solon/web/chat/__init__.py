"""Talking to the models of a run: the same question to each of them, side by side. For members.

The dialogue stands in the page, in hidden fields of its form; the site keeps none of it.
"""

from __future__ import annotations

from solon.web.chat import pages

PAGES = pages.PAGES
