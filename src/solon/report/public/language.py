"""The page's language: its texts from a catalogue, and numbers, shares, lists and dates as its readers write them.

Texts stand in the code and the templates in English, each in a call of `say` or `many`, or under `mark` where it is
said later. A catalogue in GNU gettext's form (`.po`) gives them in another language; catalogue.py reads it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cached_property
from gettext import NullTranslations

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal
from markupsafe import Markup, escape

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
ISOLATE, END = "\u2068", "\u2069"
"""Around a text whose direction is that of its first letter."""
WORLD_ENGLISH = Locale("en", "001")
"""Days before months, and no comma before the last of a list."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """Says the page's texts. Without a catalogue they are English."""

    locale: Locale = WORLD_ENGLISH
    texts: NullTranslations = field(default_factory=NullTranslations)
    missing: int = 0
    """Texts that the catalogue does not have, which are English therefore."""

    @property
    def tag(self) -> str:
        """For `lang`, such as `de-AT`."""
        return "en" if self.locale is WORLD_ENGLISH else str(self.locale).replace("_", "-")

    @property
    def direction(self) -> str:
        """For `dir`: `ltr` or `rtl`."""
        return self.locale.text_direction

    def __call__(self, message: str, /, **values: object) -> str:
        """A text with its places filled. Where a value is markup, so is the result, and all else in it is escaped."""
        return self._filled(self.texts.gettext(message), values)

    def many(self, one: str, several: str, count: int, /, **values: object) -> str:
        """A text in the form that the language has for this count, which fills `%(n)s`."""
        return self._filled(self.texts.ngettext(one, several, count), {"n": self.number(count), **values})

    def group(self, label: int) -> str:
        """Example: "Group A"."""
        return self(mark("Group %(letter)s"), letter=letter(label))

    def statements(self, count: int) -> str:
        return self.many("%(n)s statement", "%(n)s statements", count)

    def people(self, count: int) -> str:
        return self.many("%(n)s person", "%(n)s people", count)

    def votes(self, count: int) -> str:
        return self.many("%(n)s vote", "%(n)s votes", count)

    def number(self, value: float, places: int = 0) -> str:
        """Example: 1234 is "1,234" or "1.234"; with 2 places, 0.5 is "0.50" or "0,50"."""
        pattern = "#,##0" + ("." + "0" * places if places else "")
        return format_decimal(round(value, places) + 0.0, format=pattern, locale=self.locale)

    def whole(self, share: float) -> str:
        """A share in whole percent that never says all or none of what is not: 0.996 is "over 99%", 1 "100%"."""
        if 0 < share < 0.005:
            return self(mark("under %(percent)s"), percent=self._percents[1])
        if 0.995 < share < 1:
            return self(mark("over %(percent)s"), percent=self._percents[99])
        return self._percents[round(100 * share)]

    def between(self, low: float, high: float) -> str:
        """Example: 0.876 and 0.953 are "88 to 95"."""
        return self(mark("%(low)s to %(high)s"), low=self.number(100 * low), high=self.number(100 * high))

    def listed(self, parts: Sequence[str], *, choice: bool = False) -> str:
        """Example: "A, B and C"; with `choice`, "A, B or C"."""
        told = [self.apart(part) for part in parts]
        return format_list(told, style="or" if choice else "standard", locale=self.locale) if told else ""

    def day(self, milliseconds: int) -> str:
        """Example: 1568332800000 is "13 September 2019" (UTC). The hour is nobody's business."""
        return format_date(datetime.fromtimestamp(milliseconds / 1000, tz=UTC), "long", locale=self.locale)

    def prose(self, *sentences: str) -> str:
        """Sentences after each other; empty ones are left out. Chinese and Japanese have no space between them."""
        return ("" if self.locale.language in ("zh", "ja") else " ").join(filter(None, sentences))

    def apart(self, text: str) -> str:
        """On a page from right to left, a text whose direction is its own and touches none beside it."""
        return f"{ISOLATE}{text}{END}" if self.direction == "rtl" and not isinstance(text, Markup) else text

    def _filled(self, text: str, values: dict[str, object]) -> str:
        """A catalogue is as little trusted as any other text."""
        told = {name: self.apart(value) if isinstance(value, str) else value for name, value in values.items()}
        if any(isinstance(value, Markup) for value in told.values()):
            return escape(text) % told
        return text % told

    @cached_property
    def _percents(self) -> tuple[str, ...]:
        """0% to 100%. A page has thousands of them."""
        pattern = self.locale.percent_formats[None]
        return tuple(pattern.apply(whole / 100, self.locale) for whole in range(101))


def mark(text: str) -> str:
    """The text itself, which is said later: so that it is found for the catalogues."""
    return text


def letter(label: int) -> str:
    """How a group is called on the page, in every language: 0 is A, 25 Z, 26 A2."""
    return LETTERS[label % 26] + (str(label // 26 + 1) if label >= 26 else "")


ENGLISH = Language()
