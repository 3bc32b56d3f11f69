"""Catalogues of a package's texts: those that ship, those that anybody gives, and the file to begin a new one from.

A package has the texts of its modules and templates, and its catalogues in the folder `catalogues`. Unless another is
named, it is the public report.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from io import BytesIO
from pathlib import Path

from babel import Locale, UnknownLocaleError
from babel.core import get_global
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import PoFileError, read_po, write_po
from babel.support import Translations

from solon import __version__
from solon.errors import Fault, InputError, Where
from solon.report.public.language import ENGLISH, WORLD_ENGLISH, Language

CALLS = {"say": None, "mark": None, "many": (1, 2), "_": DEFAULT_KEYWORDS["_"]}
"""Calls whose first text, or first two, are for the catalogues."""
REPORT = "solon.report.public"
HEADER = "# {} texts of Solon; see docs/public-input.md. Every %(name)s must stay."
PLACE = re.compile(r"%(?:\((\w+)\)s|(.?))", re.DOTALL)
ENOUGH = 1000
"""Counts for which a plural rule is tried; those of all languages repeat themselves long before."""
SOURCES = {".py": "python", ".j2": "jinja2.ext.babel_extract"}


def language_of(tag: str, catalogue: Path | None = None, *, package: str = REPORT) -> Language:
    """The language with a tag such as `de` or `de-AT`, which says how numbers and dates are written.

    Its texts are those of the catalogue, or of the one that ships for the language. An empty tag is the language that
    the catalogue names; without either it is English. Raises InputError for a tag or a catalogue that cannot be used,
    with the line of every text at fault.
    """
    if catalogue is not None:
        found = read_catalogue(catalogue)
        locale = _locale(tag) if tag else _named(found, catalogue)
        if found.locale and found.locale.language != locale.language:
            what = f"is a catalogue of {found.locale.english_name}, and --language is {tag}"
            raise InputError(what, where=Where(catalogue), hint="leave out one of the two")
        if not any(one.id and any(_forms(one.string)) for one in found):
            raise InputError("no text is filled in", where=Where(catalogue), hint="fill it in, or leave out --catalog")
        return _language(locale, found, package)
    locale = _locale(tag or "en")
    if locale.language == "en":
        return replace(ENGLISH, locale=WORLD_ENGLISH if str(locale) == "en" else locale)
    shipped = _folder(package) / f"{locale.language}.po"
    if not (shipped.is_file() and _usual_script(locale)):
        hint = "give one with --catalog; `solon collect catalog` writes a file to begin from"
        what = f"no catalogue for the language {tag}; there are {', '.join(shipped_languages(package))}"
        raise InputError(what, hint=hint)
    return _language(locale, read_catalogue(shipped), package)


def shipped_languages(package: str = REPORT) -> list[str]:
    """Codes of the languages that the package speaks by itself, English first."""
    names = (one.name for one in _folder(package).iterdir())
    return ["en", *sorted(name.removesuffix(".po") for name in names if name.endswith(".po"))]


def read_catalogue(path: Path | Traversable) -> Catalog:
    """A catalogue whose texts have the places of the English ones, and the forms that the language counts in.

    Raises InputError with every fault and its line.
    """
    try:
        with path.open("rb") as file:
            catalogue = read_po(file, abort_invalid=True)
        plural = _compiled(catalogue).plural
        if not all(0 <= plural(n) < catalogue.num_plurals for n in range(ENOUGH)):
            raise ValueError("the rule under Plural-Forms names a form that is not there")
    except (PoFileError, UnknownLocaleError, ValueError, LookupError, ArithmeticError) as error:
        raise InputError(f"is no catalogue: {error}", where=Where(str(path))) from None
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", where=Where(str(path))) from None
    where = str(path)
    faults = [
        Fault(what, Where(where, message.lineno), "keep every %(name)s, and write %% for a percent sign")
        for message in catalogue
        if message.id and not message.fuzzy
        for what in _faults(message, catalogue.num_plurals)
    ]
    if faults:
        raise InputError(faults)
    return catalogue


def new_catalogue(tag: str, begun: Path | None = None, *, package: str = REPORT) -> bytes:
    """A file for a translator: every text of the package, with what the begun or shipped catalogue has of them already.

    Raises InputError for a tag or a begun catalogue that cannot be used.
    """
    locale = _locale(tag)
    head = HEADER.format(locale.english_name)
    catalogue = Catalog(locale=locale, header_comment=head, project="Solon", version=__version__, fuzzy=False)
    shipped = _folder(package) / f"{locale.language}.po"
    earlier = read_catalogue(begun or shipped) if begun or shipped.is_file() else Catalog(locale=locale)
    for message in source(package):
        if message.id:
            known = earlier.get(message.id)
            said = known.string if known and not known.fuzzy else None
            catalogue.add(message.id, said, locations=message.locations)
    written = BytesIO()
    write_po(written, catalogue, width=120, include_lineno=False)
    return written.getvalue()


def source(package: str = REPORT) -> Catalog:
    """Every text of the package in English, in the order of the files."""
    catalogue = Catalog(project="Solon", fuzzy=False)
    for place, line, text in _texts(files(package)):
        catalogue.add(text, locations=[(place, line)])
    return catalogue


def _texts(folder: Traversable) -> Iterator[tuple[str, int, str | tuple[str, ...]]]:
    """Those of the files of a folder, then of the folders in it."""
    for file in sorted(folder.iterdir(), key=lambda one: (one.is_dir(), one.name)):
        method = SOURCES.get(Path(file.name).suffix)
        if file.is_dir():
            yield from _texts(file)
        elif method is not None:
            with file.open("rb") as opened:
                options = {"encoding": "utf-8", "silent": "false"}
                for line, text, _, _ in extract(method, opened, CALLS, options=options):
                    yield file.name, line, text


def _compiled(catalogue: Catalog) -> Translations:
    translated = BytesIO()
    write_mo(translated, catalogue)
    translated.seek(0)
    return Translations(translated)


def _language(locale: Locale, catalogue: Catalog, package: str) -> Language:
    texts = (one.id for one in source(package) if one.id)
    missing = sum(not ((found := catalogue.get(text)) and all(_forms(found.string))) for text in texts)
    return Language(locale=locale, texts=_compiled(catalogue), missing=missing)


def _forms(text: str | Sequence[str] | None) -> tuple[str, ...]:
    return (text or "",) if text is None or isinstance(text, str) else tuple(text)


def _faults(message: Message, plurals: int) -> list[str]:
    """What is wrong with a translation; nothing where there is none yet."""
    wanted, said = _forms(message.id)[-1], _forms(message.string)
    if not any(said):
        return []
    if isinstance(message.id, tuple) and len(said) != plurals:
        return [f"{len(said)} forms for {wanted!r}, where the language has {plurals}"]
    places = _places(wanted) | {"n"}  # a form for one thing may say it without its number
    return [f"{form!r} has other places than {wanted!r}" for form in said if _places(form) | {"n"} != places]


def _places(text: str) -> set[str]:
    """Names of the places of a text, and what else stands behind a percent sign."""
    return {name or other for name, other in PLACE.findall(text)}


def _named(catalogue: Catalog, path: Path) -> Locale:
    if catalogue.locale is None:
        raise InputError("does not say its language", where=Where(path), hint="add it with --language, such as nl")
    return catalogue.locale


def _locale(tag: str) -> Locale:
    with suppress(ValueError, UnknownLocaleError):
        return Locale.parse(tag.replace("_", "-"), sep="-")
    raise InputError(f"{tag!r} is no language", hint="write a tag such as de, pt-BR or zh-Hant")


def _usual_script(locale: Locale) -> bool:
    """Is it written as its language usually is? Chinese of Taiwan is not."""
    return locale.script is None or locale.script in get_global("likely_subtags").get(locale.language, "").split("_")


def _folder(package: str) -> Traversable:
    return files(package) / "catalogues"
