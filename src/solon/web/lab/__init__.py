"""The constitution lab: a principle is written, and tried at once on a run's assistant and judge. For members."""

from __future__ import annotations

from solon.web.lab import pages

PAGES = pages.PAGES
