"""A proposal as a document in Markdown, with the line and the reason of each part in a comment."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from markdown_it.tree import SyntaxTreeNode as Node

from solon.constitution.proposing.articles import Draft
from solon.constitution.proposing.manuscript import Manuscript
from solon.constitution.proposing.page import escaped
from solon.constitution.proposing.proposal import Proposal
from solon.text import excerpt

NO_ORDER = "no sentence or list says which heading comes before which"
NO_CONSTRAINTS = "no list of hard constraints was found, so none are proposed; write at least one"


def proposal_text(proposal: Proposal) -> str:
    """The file: `confirmed = false` stands in it until a person has read it."""
    manuscript = proposal.manuscript
    top = min(one.level for one in proposal.drafts)
    mark = "#" * min(top, 2)
    blocks = [
        f"# {escaped(manuscript.title)} {{confirmed = false}}",
        _note(
            f"Proposed from {manuscript.path.name}, by rules, and read by nobody yet. Comments give the line that a "
            "part comes from, and why. Correct what is wrong, then write `confirmed = true`."
        ),
        *_sources(manuscript, proposal.opening),
        *_order(proposal, mark),
        *_constraints(proposal, mark),
        *(block for draft in proposal.drafts for block in _article(draft, max(0, top - 2), manuscript)),
        *_not_placed(proposal, mark),
        *manuscript.definitions,
    ]
    return "\n\n".join(blocks) + "\n"


def _note(text: str) -> str:
    """A comment. Nothing in it can end it."""
    return f"<!-- {' '.join(text.split()).replace('-->', '-- >')} -->"


def _quoted(text: str) -> str:
    return f"“{excerpt(' '.join(text.split()), 300)}”"


def _sources(manuscript: Manuscript, blocks: Sequence[Node]) -> Iterator[str]:
    """Blocks as they were written; HTML, which could swallow what follows, as code."""
    for block in blocks:
        source = manuscript.source(block)
        yield "\n".join(f"    {line}" for line in source.split("\n")) if block.type == "html_block" else source


def _order(proposal: Proposal, mark: str) -> Iterator[str]:
    titles = {one.id: one.title for one in proposal.drafts}
    yield from (
        [f"{mark} Order of precedence"] if proposal.order.ids else [_note(f"No order of precedence: {NO_ORDER}.")]
    )
    for said in proposal.order.used:
        yield _note(f"line {proposal.manuscript.line(said.line)}: {_quoted(said.text)}")
    if proposal.order.ids:
        ranked = enumerate(proposal.order.ids, start=1)
        yield "\n".join(f"{rank}. [{escaped(titles[name])}](#{name})" for rank, name in ranked)


def _constraints(proposal: Proposal, mark: str) -> Iterator[str]:
    yield f"{mark} Hard constraints"
    if not proposal.constraints:
        yield _note(f"{NO_CONSTRAINTS}.")
    for found in proposal.constraints:
        yield _note(f"line {proposal.manuscript.line(found.list)}: {found.why}")
        if found.lead is not None:
            yield proposal.manuscript.source(found.lead)
        yield "\n".join(f"- {escaped(one.text)}" for one in found.constraints)


def _article(draft: Draft, shift: int, manuscript: Manuscript) -> Iterator[str]:
    braces = " ".join((f"#{draft.id}", *draft.attributes))
    yield f"{'#' * (draft.level - shift)} {escaped(draft.title)} {{{braces}}}"
    yield _note(f"line {manuscript.line(draft.line)}: {draft.why}")
    yield from _sources(manuscript, draft.blocks)


def _not_placed(proposal: Proposal, mark: str) -> Iterator[str]:
    """What is no part of the constitution, kept for a person to place. The reader of documents passes over it."""
    manuscript, unused = proposal.manuscript, proposal.order.unused
    odd = [one for found in proposal.constraints for one in found.left]
    if not (proposal.left or unused or odd or manuscript.left_out):
        return
    yield f"{mark} Not placed"
    for one in proposal.left:
        yield f"{mark}# {escaped(one.title) or 'Without a heading'}"
        yield _note(f"line {manuscript.line(one.line)}: {one.why}")
        yield from _sources(manuscript, one.blocks)
    lists = {
        "Constraints like a turn of a dialogue": [(one.line, one.text, "begin them with another word") for one in odd],
        "Sentences on priority that rank nothing": [(one.line, one.text, why) for one, why in unused],
    }
    for title, found in lists.items():
        if found:
            yield f"{mark}# {title}"
            yield "\n".join(
                f"- line {manuscript.line(line)}: {escaped(_quoted(text))} ({why})" for line, text, why in found
            )
    if manuscript.left_out:
        yield f"{mark}# Parts of the page that are no prose"
        yield "\n".join(f"- {escaped(name)}: {words} words" for name, words in sorted(manuscript.left_out.items()))
