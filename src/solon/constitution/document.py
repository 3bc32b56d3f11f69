"""Constitutions as Markdown documents: articles, an order of precedence, hard constraints.

Every heading with text of its own is an article, except two: under "Order of precedence" a numbered list names
articles, highest first; under "Hard constraints" a list says what is never done. Each article becomes one principle,
whose three texts are made from `templates/document.toml`.

Hard constraints outrank everything, so they stand in *every* generated text. As principles of their own, however heavy,
they would only be drawn more often: a row that drew another article could then trade a hard constraint away against it,
and nothing in its instruction would say that it must not. The price is longer instructions. In the same way each text
names the articles that outrank its own; an article that the order leaves out ranks below all that it names. A document
without an order has none: nothing is guessed from where an article stands.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

from solon.constitution.articles import instructions
from solon.constitution.faults import Faults
from solon.constitution.headings import ATTRIBUTES, Heading, key, read_headings
from solon.constitution.markdown import Section, items, plain_text, sections
from solon.constitution.principles import Constitution, Principle
from solon.constitution.reading import read_text
from solon.constitution.sourced import Sourced
from solon.constitution.texts import DELIMITER
from solon.places import Places
from solon.text import did_you_mean, listed

PRECEDENCE = ("order-of-precedence", "precedence")
HARD_CONSTRAINTS = ("hard-constraints", "hard-constraint")


def read_document(path: Path) -> Sourced:
    """Reads a Markdown document. Raises ConstitutionError with every fault of the file and its line."""
    text = read_text(path)
    faults = Faults(path)
    if re.match(r"---\n.*?\n---\n", text, re.DOTALL):
        faults.add("begins with front matter, which is not read", 1, "remove what stands between the lines of ---")
        faults.raise_any()
    title, description, body = _title(sections(text), path)
    proper, precedence_sections, constraint_sections = _sorted_out(body)
    headings = read_headings(proper, faults)
    articles = [heading for heading in headings if heading.text]
    if not articles:
        faults.add("has no articles", None, "write a heading for each, such as `## Honesty`, and its text below")
    constraints = _hard_constraints(constraint_sections, faults)
    precedence = _precedence(precedence_sections, headings, faults)
    principles = [
        _principle(article, articles, precedence, constraints, faults) for article in articles if article.title
    ]
    faults.raise_any()
    constitution = Constitution(
        name=path.stem,
        title=title,
        description=description,
        kind="document",
        principles=tuple(principle for principle in principles if principle),
        hard_constraints=tuple(constraints),
        precedence=tuple(precedence),
    )
    return Sourced(
        constitution=constitution,
        path=path,
        lines={(article.id, "id"): article.line for article in articles},
        articles={article.id: article.text for article in articles},
    )


def _title(found: list[Section], path: Path) -> tuple[str, str, list[Section]]:
    """The title (the first heading, if it is of level 1), the description below it, and all other sections."""
    opening, rest = found[0], found[1:]
    if rest and rest[0].level == 1:
        return rest[0].title or path.stem, plain_text((*opening.tokens, *rest[0].tokens)), rest[1:]
    return path.stem, opening.text, rest


def _sorted_out(found: list[Section]) -> tuple[list[Section], list[Section], list[Section]]:
    """Sections of the document proper, the precedence, the hard constraints; deeper headings go with their own."""
    proper: list[Section] = []
    precedence: list[Section] = []
    constraints: list[Section] = []
    target, level = proper, 7
    for section in found:
        if section.level <= level:
            name = key(section.title)
            target = precedence if name in PRECEDENCE else constraints if name in HARD_CONSTRAINTS else proper
            level = 7 if target is proper else section.level
        target.append(section)
    return proper, precedence, constraints


def _hard_constraints(found: list[Section], faults: Faults) -> list[str]:
    hint = "write `## Hard constraints` and below it a list, one line for each thing that is never done"
    if not found:
        faults.add("has no hard constraints", None, hint)
        return []
    constraints = [item for section in found for item in items(section.tokens)]
    if not constraints:
        faults.add("the hard constraints are not a list", found[0].line, hint)
    for item in constraints:
        if not item.text:
            faults.add("a hard constraint is empty", item.line, "write it or remove the line")
        elif DELIMITER.search(item.text):
            faults.add("a hard constraint looks like a turn of a dialogue", item.line, "begin it with another word")
    return [item.text for item in constraints]


def _precedence(found: list[Section], headings: list[Heading], faults: Faults) -> list[str]:
    """Article ids, highest first. Naming a heading ranks it and what stands below it, unless that is named itself."""
    if not found:
        return []
    listing = [item for section in found for item in items(section.tokens, ("ordered_list",))]
    if not listing:
        hint = "write a numbered list of articles, highest first: `1. Safety`, `2. Honesty`, ..."
        faults.add("the order of precedence is not a numbered list", found[0].line, hint)
    known = {key(word): heading for heading in reversed(headings) for word in (heading.title, heading.id)}
    named: dict[str, int] = {}
    for item in listing:
        words = [item.link.removeprefix("#")] if item.link else [item.text, re.split(r":| [-–—] |\n", item.text)[0]]
        heading = next((known[key(word)] for word in words if key(word) in known), None)
        if heading is None:
            titles = [heading.title for heading in headings]
            ids = [heading.id for heading in headings]
            hint = did_you_mean(words[-1], titles) or did_you_mean(words[-1], ids) or f"headings are {listed(titles)}"
            faults.add(f"the order of precedence names `{words[-1]}`, which is no article", item.line, hint)
        elif heading.id in named:
            hint = f"it was named on line {named[heading.id]}; keep one"
            faults.add(f"the order of precedence names `{heading.title}` twice", item.line, hint)
        else:
            named[heading.id] = item.line
    return [article for name in named for article in _ranked_with(name, headings, named)]


def _ranked_with(name: str, headings: Sequence[Heading], named: Mapping[str, int]) -> list[str]:
    """Articles that take the rank of heading `name`: it is the nearest named one of them and what is above them."""
    ranked = []
    for heading in headings:
        nearest = next((one for one in (heading.id, *reversed(heading.above)) if one in named), None)
        if heading.text and nearest == name:
            ranked.append(heading.id)
    return ranked


def _principle(
    article: Heading, articles: Sequence[Heading], precedence: Sequence[str], constraints: Sequence[str], faults: Faults
) -> Principle | None:
    turn = DELIMITER.search(f"{article.title}\n{article.text}")
    if turn:
        what = f"article `{article.title}` has a line that begins with `{turn[1]}:`, like a turn of a dialogue"
        faults.add(what, article.line, "begin the line with another word")
        return None
    rank = precedence.index(article.id) if article.id in precedence else len(precedence)
    titles = {other.id: other.title for other in articles}
    texts = instructions(
        article.title,
        article.text,
        outranked_by=[titles[name] for name in precedence[:rank]],
        hard_constraints=constraints,
    )
    fields = {"id": article.id, "title": article.title, "weight": article.weight, "tags": article.tags}
    try:
        return Principle.model_validate({**fields, **texts, "source": f"{faults.path.name}#{article.id}"})
    except ValidationError as error:
        where = Places(lines={(): article.line})
        faults.add_refused(error, where, label=f"article `{article.title}`", hint=ATTRIBUTES)
        return None
