"""Constitutions as Markdown documents: articles, an order of precedence, hard constraints.

Every heading with text of its own is an article, except three: under "Order of precedence" a numbered list names
articles, highest first; under "Hard constraints" a list says what is never done; what stands under "Not placed" is no
part of the constitution. Each article becomes one principle, whose three texts are made from `templates/document.toml`,
unless a code block ```` ```toml principle ```` in it gives them.

Hard constraints outrank everything, so they stand in *every* generated text. As principles of their own, however heavy,
they would only be drawn more often: a row that drew another article could then trade a hard constraint away against it,
and nothing in its instruction would say that it must not. The price is longer instructions. In the same way each text
names the articles that outrank its own; an article that the order leaves out ranks below all that it names. A document
without an order has none: nothing is guessed from where an article stands.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from solon.constitution.files import SourceFile, read_text
from solon.constitution.markdown import Section, html_lines, items, plain_text, sections
from solon.constitution.principles import (
    TEXT_KEYS,
    WHOLE,
    WHOLE_TAKEN,
    Article,
    Constitution,
    ConstitutionFile,
    Principle,
)
from solon.constitution.texts import DELIMITER, document_templates
from solon.places import Places
from solon.text import did_you_mean, fill, listed

Part = Literal["articles", "precedence", "constraints", "not placed"]
PARTS: dict[str, Part] = {
    "order-of-precedence": "precedence",
    "precedence": "precedence",
    "hard-constraints": "constraints",
    "hard-constraint": "constraints",
    "not-placed": "not placed",
}
"""By the key of its heading; every other heading belongs to the articles."""
_ATTRIBUTES = "braces after a heading may hold an id, tags and a weight: `{#id .tag weight=2}`"


@dataclass(frozen=True, kw_only=True)
class _Heading:
    """A heading with what stands below it: an article if it has text of its own, else a group of articles."""

    id: str
    title: str
    text: str
    """Plain text up to the next heading; empty for a group."""
    tags: tuple[str, ...]
    """Its own, then the ids of the headings above it."""
    weight: float
    line: int
    above: tuple[str, ...]
    """Ids of the headings above it, outermost first."""
    own: Mapping[str, str]
    """Texts that it gives itself, by their key."""


def read_document(path: Path) -> ConstitutionFile:
    """Reads a Markdown document. Raises ConstitutionError with every fault of the file and its line."""
    text = read_text(path)
    file = SourceFile(path)
    if re.match(r"---\n.*?\n---\n", text, re.DOTALL):
        file.add("begins with front matter, which is not read", 1, "remove it, with its lines of ---")
        file.raise_any()
    found = sections(text)
    title, description, body = _title(found, path)
    parts = _sorted_out(body)
    headings = _headings(parts["articles"], file)
    articles = [heading for heading in headings if heading.text]
    if not articles:
        file.add("has no articles", None, "write a heading for each, such as `## Honesty`, and its text below")
    constraints = _hard_constraints(parts["constraints"], file)
    asked = _own_words(parts["constraints"], ("comparison_question",), file)
    _no_own_words(parts["precedence"], "an order of precedence asks nothing", file)
    ranks = _ranks(parts["precedence"], headings, file)
    precedence = list(ranks)
    confirmed = _confirmed(found[1:2], file)
    titles = {article.id: article.title for article in articles}
    file.places = Places(lines={(number,): article.line for number, article in enumerate(articles)})
    principles = [
        _principle(article, number, _outranking(article, titles, precedence), constraints, file)
        for number, article in enumerate(articles)
        if article.title
    ]
    file.raise_any()
    constitution = Constitution(
        name=path.stem,
        title=title,
        description=description,
        kind="document",
        principles=tuple(principle for principle in principles if principle),
        hard_constraints=tuple(constraints),
        constraint_question=asked.get("comparison_question"),
        precedence=tuple(precedence),
        articles=tuple(Article(id=one.id, text=one.text, rank=ranks.get(one.id)) for one in articles),
        confirmed=confirmed,
    )
    return ConstitutionFile(
        constitution=constitution,
        path=path,
        lines={(article.id, "id"): article.line for article in articles},
        html=tuple(html_lines(text)),
    )


def _title(found: list[Section], path: Path) -> tuple[str, str, list[Section]]:
    """The title (the first heading, if it is of level 1), the description below it, and all other sections."""
    opening, rest = found[0], found[1:]
    if rest and rest[0].level == 1:
        return rest[0].title or path.stem, plain_text((*opening.blocks, *rest[0].blocks)), rest[1:]
    return path.stem, opening.text, rest


def _confirmed(first: Sequence[Section], file: SourceFile) -> bool:
    """What the braces of the title say, where there is one; True if they say nothing."""
    said = [word for one in first if one.level == 1 for word in one.attributes if word.startswith("confirmed=")]
    if said not in ([], ["confirmed=true"], ["confirmed=false"]):
        file.add(f"`{said[-1]}` says neither true nor false", first[0].line, "write `{confirmed = true}` or remove it")
    return said != ["confirmed=false"]


def _sorted_out(found: list[Section]) -> dict[Part, list[Section]]:
    """The sections of each part; deeper headings go with their own."""
    parts: dict[Part, list[Section]] = {"articles": [], "precedence": [], "constraints": [], "not placed": []}
    part: Part = "articles"
    level = 7
    for section in found:
        if section.level <= level:
            part = PARTS.get(key_of(section.title), "articles")
            level = 7 if part == "articles" else section.level
        parts[part].append(section)
    return parts


def _headings(sections: Sequence[Section], file: SourceFile) -> list[_Heading]:
    """Headings in the order of the document. A subheading belongs to the nearest higher heading before it."""
    headings: list[_Heading] = []
    open_above: list[tuple[int, str]] = []
    first: dict[str, int] = {}
    for number, section in enumerate(sections, start=1):
        name, tags, weight = _attributes(section, number, file)
        while open_above and open_above[-1][0] >= section.level:
            open_above.pop()
        above = tuple(name for _, name in open_above)
        open_above.append((section.level, name))
        has_deeper = number < len(sections) and sections[number].level > section.level
        if not section.title:
            file.add("a heading is empty", section.line, "give the article a title")
        elif not section.text and not has_deeper:
            file.add(f"the article `{section.title}` has no text", section.line, "write it, or remove the heading")
        elif not section.text:
            _no_own_words([section], f"`{section.title}` has no text of its own", file)
        if name in first:
            hint = f"the first stands on line {first[name]}; give one an id in braces, such as `{{#{name}-2}}`"
            file.add(f"two headings have the id `{name}`", section.line, hint)
        if name == WHOLE:
            file.add(WHOLE_TAKEN, section.line, f"give the heading another in braces, such as `{{#{name}-2}}`")
        first.setdefault(name, section.line)
        headings.append(
            _Heading(
                id=name,
                title=section.title,
                text=section.text,
                tags=tuple(dict.fromkeys((*tags, *above))),
                weight=weight,
                line=section.line,
                above=above,
                own=_own_words([section], TEXT_KEYS, file),
            )
        )
    return headings


def key_of(text: str) -> str:
    """What of a title or id counts when one is looked up: letters and digits, in lower case."""
    return re.sub(r"[\W_]+", "-", text.casefold()).strip("-")


def id_of(title: str, number: int) -> str:
    """The id of the heading that is the `number`th, unless its braces give one."""
    plain = unicodedata.normalize("NFKD", title).encode("ascii", "ignore").decode()
    return key_of(plain) or f"article-{number}"


def _attributes(section: Section, number: int, file: SourceFile) -> tuple[str, list[str], float]:
    """Id, tags and weight of a heading: what its braces say, else an id made from its title, no tags, weight 1."""
    name = id_of(section.title, number)
    tags: list[str] = []
    weight = 1.0
    for attribute in section.attributes:
        if attribute.startswith("#"):
            name = attribute[1:]
        elif attribute.startswith("."):
            tags.append(attribute[1:])
        elif re.fullmatch(r"weight=[-+]?(\d+\.?\d*|\.\d+)", attribute):
            weight = float(attribute.removeprefix("weight="))
        else:
            file.add(f"`{attribute}` is not an attribute of a heading", section.line, _ATTRIBUTES)
    return name, tags, weight


def _own_words(found: Sequence[Section], known: Sequence[str], file: SourceFile) -> dict[str, str]:
    """The texts that sections give in the place of those made from templates, by their key."""
    blocks = [block for section in found for block in section.own_words]
    for _, line in blocks[1:]:
        file.add("a second block `toml principle`", line, f"the first is on line {blocks[0][1]}; keep one")
    if not blocks:
        return {}
    text, line = blocks[0]
    try:
        given = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        file.add(f"the block `toml principle` is not TOML: {error}", line, f'write e.g. {known[-1]} = "..."')
        return {}
    faults = {key: _own_fault(key, value, known) for key, value in given.items()}
    for key, fault in faults.items():
        if fault:
            file.add(f"`{key}` {fault}", line, f"a block `toml principle` may give the texts {listed(known)}")
    return {key: value for key, value in given.items() if not faults[key]}


def _no_own_words(found: Sequence[Section], why: str, file: SourceFile) -> None:
    for _, line in (block for section in found for block in section.own_words):
        file.add(f"a block `toml principle` without an article: {why}", line, "move it below the article it is for")


def _own_fault(key: str, value: object, known: Sequence[str]) -> str | None:
    if key not in known:
        return "is unknown here"
    if not isinstance(value, str) or not value.strip():
        return "is no text"
    return "has a line like a turn of a dialogue" if DELIMITER.search(value) else None


def _hard_constraints(found: list[Section], file: SourceFile) -> list[str]:
    hint = "write `## Hard constraints` and below it a list, one line for each thing that is never done"
    if not found:
        file.add("has no hard constraints", None, hint)
        return []
    constraints = [item for section in found for item in items(section.blocks)]
    if not constraints:
        file.add("the hard constraints are not a list", found[0].line, hint)
    for item in constraints:
        if not item.text:
            file.add("a hard constraint is empty", item.line, "write it or remove the line")
        elif DELIMITER.search(item.text):
            file.add("a hard constraint looks like a turn of a dialogue", item.line, "begin it with another word")
    return [item.text for item in constraints]


def _ranks(found: list[Section], headings: list[_Heading], file: SourceFile) -> dict[str, int]:
    """The rank of each article that has one, highest first. Naming a heading ranks it and what stands below it, unless
    that is named itself."""
    if not found:
        return {}
    listing = [item for section in found for item in items(section.blocks, ("ordered_list",))]
    if not listing:
        hint = "write a numbered list of articles, highest first: `1. Safety`, `2. Honesty`, ..."
        file.add("the order of precedence is not a numbered list", found[0].line, hint)
    known = {key_of(word): heading for heading in reversed(headings) for word in (heading.title, heading.id)}
    named: dict[str, int] = {}
    for item in listing:
        words = [item.link.removeprefix("#")] if item.link else [item.text, re.split(r":| [-–—] |\n", item.text)[0]]
        heading = next((known[key_of(word)] for word in words if key_of(word) in known), None)
        if heading is None:
            titles = [heading.title for heading in headings]
            ids = [heading.id for heading in headings]
            hint = did_you_mean(words[-1], titles) or did_you_mean(words[-1], ids) or f"headings are {listed(titles)}"
            file.add(f"the order of precedence names `{words[-1]}`, which is no article", item.line, hint)
        elif heading.id in named:
            hint = f"it was named on line {named[heading.id]}; keep one"
            file.add(f"the order of precedence names `{heading.title}` twice", item.line, hint)
        else:
            named[heading.id] = item.line
    # An article takes the rank of the nearest heading that is named: itself, or one above it.
    by = {one.id: next((name for name in (one.id, *reversed(one.above)) if name in named), None) for one in headings}
    articles = [heading.id for heading in headings if heading.text]
    return {one: rank for rank, name in enumerate(named) for one in articles if by[one] == name}


def _outranking(article: _Heading, titles: Mapping[str, str], precedence: Sequence[str]) -> list[str]:
    """The titles of the articles above this one, highest first."""
    rank = precedence.index(article.id) if article.id in precedence else len(precedence)
    return [titles[name] for name in precedence[:rank]]


def _principle(
    article: _Heading, number: int, outranked_by: Sequence[str], constraints: Sequence[str], file: SourceFile
) -> Principle | None:
    if turn := DELIMITER.search(f"{article.title}\n{article.text}"):
        what = f"article `{article.title}` has a line that begins with `{turn[1]}:`, like a turn of a dialogue"
        file.add(what, article.line, "begin the line with another word")
        return None
    templates = document_templates()
    texts = {
        "title": article.title,
        "text": article.text,
        "outranked": fill(templates["outranked"], articles="; ".join(outranked_by)) if outranked_by else "",
        "hard_constraints": "\n".join(f"- {constraint}" for constraint in constraints),
    }
    fields = {
        "id": article.id,
        "title": article.title,
        **{key: fill(templates[key], **texts) for key in TEXT_KEYS},
        **article.own,
        "weight": article.weight,
        "tags": article.tags,
        "source": f"{file.path.name}#{article.id}",
    }
    return file.checked(Principle, fields, number, label=f"article `{article.title}`", hint=_ATTRIBUTES)
