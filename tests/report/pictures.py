"""Takes the pictures of public reports in docs/images anew: `python tests/report/pictures.py FOLDER`.

The folder holds the pages: `report.html` and `report-ar.html` of docs/public-input.md, and `ccai.html` and
`biodiversity.html`, the reports on the two published conversations.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from report.browser import Browser

IMAGES = Path(__file__).resolve().parents[2] / "docs/images"
PICTURES = (
    ("report", "opening", 1200, ".masthead", ".short"),
    ("report-ar", "arabic", 1200, ".masthead", ".short"),
    ("report", "map", 900, ".mapfigure", "#map .scroll"),
    ("report", "narrow", 390, "#divides .barkey", "#divides .saying:nth-child(2)"),
    ("ccai", "ccai", 900, ".mapfigure", ".mapfigure"),
    ("biodiversity", "biodiversity", 900, ".mapfigure", ".mapfigure"),
)
"""Page, name, width of the window, and the elements with which the picture begins and ends."""
MARGIN = 16


def edges(browser: Browser, first: str, last: str) -> tuple[float, float]:
    """Top of the one and bottom of the other, from the top of the page."""
    box = "document.querySelector({!r}).getBoundingClientRect().{} + scrollY"
    return browser.run(box.format(first, "top")), browser.run(box.format(last, "bottom"))


def main(pages: Path) -> None:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile, Browser(Path(profile)) as browser:
        for page, name, width, first, last in PICTURES:
            browser.open(pages / f"{page}.html", width=width)
            top, bottom = edges(browser, first, last)
            start = max(top - MARGIN, 0)
            clip = (0, start, width, bottom + MARGIN - start)
            browser.picture(IMAGES / f"public-report-{name}.png", clip=clip)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
