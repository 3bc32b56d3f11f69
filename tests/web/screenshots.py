"""Takes the pictures of the site in docs/site anew, of the example town: `make screenshots`."""

from __future__ import annotations

import tempfile
from pathlib import Path

from needs import ROOT
from report.browser import Browser
from web.test_accessible import sign_in
from web.test_browser import joined
from web.town_site import served_town

FOLDER = ROOT / "docs/site"
MOST_BYTES = 150_000
PICTURES = (
    ("vote", "{talk}/vote", 390, 700, False),
    ("results", "{talk}/results", 1200, 900, False),
    ("moderate", "{talk}/moderate", 1200, 820, False),
    ("import", "{draft}/import", 1200, 900, False),
    ("principles", "{talk}/principles?show=chosen", 1200, 900, False),
    ("principle", "{talk}/principles/1", 1200, 900, True),
    ("proposals", "{talk}/principles/proposals", 390, 760, True),
)
"""Name, path, width and height of the picture, dark or not."""


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place,
        served_town(Path(place, "site")) as town,
        Browser(Path(place, "profile")) as browser,
    ):
        joined(browser, town.base, town.talk)
        sign_in(browser, town)
        for name, path, width, height, dark in PICTURES:
            at = path.format(talk=town.talk, draft=town.draft)
            browser.open(town.base + at, width=width, height=height, dark=dark)
            browser.run("document.activeElement.blur()")
            picture = FOLDER / f"{name}-{width}.png"
            browser.picture(picture, clip=(0, 0, width, height - 8))
            size = picture.stat().st_size
            assert size < MOST_BYTES, f"{picture.name} has {size:,} bytes"
            print(f"{picture.relative_to(ROOT)}: {size:,} bytes")


if __name__ == "__main__":
    main()
