"""What keeps a request from being answered as wished: a status, and words for whoever sees it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from solon.errors import SolonError
from solon.report.public.language import mark


class Trouble(Exception):
    """Raised by anything that a handler calls. Texts are messages of the catalogue, said in the visitor's language."""

    def __init__(self, status: int, title: str, text: str = "", /, **values: object) -> None:
        super().__init__(title)
        self.status, self.title, self.text, self.values = status, title, text, values
        self.again = False
        """Might the same page be seen by a link from this site?"""


def not_found() -> Trouble:
    return Trouble(404, mark("There is no such page"), mark("The link may be cut off, or what it led to was removed."))


def forbidden() -> Trouble:
    return Trouble(
        403,
        mark("You may not see this page"),
        mark("It is for people with another role. Ask whoever runs this site for a link."),
    )


def sign_in_first() -> Trouble:
    """Also of a member who comes by a link from elsewhere: their cookie stays away."""
    trouble = Trouble(
        403,
        mark("You are not signed in"),
        mark("Open the link that you were given, or ask whoever runs this site for a new one."),
    )
    trouble.again = True
    return trouble


def forged() -> Trouble:
    return Trouble(
        403,
        mark("This form is too old"),
        mark("Nothing was saved. Go back, load the page again and send the form once more. Cookies must be allowed."),
    )


def too_large(most: int) -> Trouble:
    return Trouble(
        413,
        mark("That is too much at once"),
        mark("Nothing was saved. A form may hold %(most)s characters at most."),
        most=most,
    )


def files_too_large(most: int) -> Trouble:
    return Trouble(
        413,
        mark("These files are too large"),
        mark("Nothing was saved. Files may have %(most)s MB together; a zip archive of them is much smaller."),
        most=most // 2**20,
    )


def unreadable() -> Trouble:
    return Trouble(400, mark("The form could not be read"), mark("Nothing was saved. Go back and send it once more."))


def too_often(minutes: int) -> Trouble:
    return Trouble(
        429,
        mark("That was too often"),
        mark("Nothing was saved. Try again in about %(minutes)s minutes."),
        minutes=minutes,
    )


def busy() -> Trouble:
    return Trouble(503, mark("The results are being worked out"), mark("Load this page again in a minute."))


def gone(title: str, text: str = "") -> Trouble:
    """Of links and tokens that have had their use."""
    return Trouble(410, title, text)


@contextmanager
def explained(told: Callable[[Exception], str]) -> Iterator[None]:
    """Raises `Trouble`, for members, where a run, its files or its models are at fault; `told` has the words."""
    try:
        yield
    except (SolonError, OSError) as error:
        raise Trouble(409, mark("That is not possible with this run"), "%(why)s", why=told(error)) from error
