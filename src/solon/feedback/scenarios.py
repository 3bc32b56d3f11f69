"""Scenarios: prompts in which one article of a constitution matters, written by a model from its text.

article -> requests -> replies, each a list of prompts -> `Sieve` -> prompts that name their article
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from solon.constitution.articles import Written
from solon.feedback.prompt_writing import ASKED, Reply, Sieve
from solon.feedback.rows import Rows, Sampler, run_rows
from solon.prompting.context import Context, Message
from solon.records import Prompt, Turn

SCENARIO = "scenario"
"""The kind of such prompts."""

_REQUEST = """An assistant follows a constitution. This is one of its articles.

{title}
{text}

Write {asked} messages that different people might send to the assistant, such that it depends on this article how \
each is answered well. Some should be easy to answer by it; in others something should speak against it, such as a \
good reason of the person, or what they want. Each is one message in one line, in the words of the person who sends \
it, who knows nothing of the article. Do not answer any of them, and write nothing besides the list, numbered from 1."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """What is asked for once: some prompts from one article."""

    number: int
    article: Written


def requests_for(articles: Sequence[Written], per_article: int, tries: float) -> list[Request]:
    """The articles take turns, so that a stage that was killed has some of each."""
    rounds = math.ceil(per_article * tries / ASKED)
    wanted = [article for _ in range(rounds) for article in articles]
    return [Request(number=number, article=article) for number, article in enumerate(wanted)]


def write_scenarios(requests: Sequence[Request], sampler: Sampler) -> Rows[Reply]:
    """One reply for each request, in their order. Requests that the engine loses are dropped, by reason."""

    async def reply(request: Request) -> Reply:
        found = await sampler.complete(_context(request.article, sampler), request.article.id, request.number)
        return Reply(
            request=request.number,
            category=request.article.id,
            shown=(),
            text=found.text,
            cut=found.truncated,
            tokens=found.tokens,
        )

    return run_rows(map(reply, requests))


def _context(article: Written, sampler: Sampler) -> Context:
    text = _REQUEST.format(title=article.title, text=article.text, asked=ASKED)
    return Context(messages=(Message("human", text),), prefill="1." if sampler.model.can.prefill else "")


def sift(
    replies: Iterable[Reply],
    articles: Sequence[Written],
    per_article: int,
    *,
    known: Iterable[str],
    not_like: Iterable[str],
) -> Sieve:
    """Keeps prompts unlike each other, the run's (`known`) and those of its evaluation (`not_like`), so many of each
    article; `Sieve` counts what it leaves out."""
    sieve = Sieve(known, not_like, wanted=per_article * len(articles), share=per_article)
    for reply in replies:
        sieve.take(reply)
    return sieve


def scenario_id(article: str, number: int) -> str:
    """Of the prompt that is the `number`th of its article, from 0."""
    return f"scenario-{article}-{number:03d}"


def scenarios_of(sieve: Sieve, writer: str) -> Iterator[Prompt]:
    """The prompts that were kept. `writer`: who wrote them."""
    place = Counter[str]()
    for text, reply in sieve.kept:
        number = place[reply.category]
        place[reply.category] += 1
        yield Prompt(
            id=scenario_id(reply.category, number),
            kind=SCENARIO,
            turns=(Turn(role="human", text=text),),
            source=f"written by {writer}, request {reply.request}",
            principle_id=reply.category,
        )
