# ruff: noqa: E501 -- a message stands on one line here, as it is printed
"""From a document in prose to a proposed constitution: nothing is lost, everything names its line."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from constitution_files import told
from solon.constitution.lint import lint
from solon.constitution.load import load_constitution
from solon.constitution.proposing.proposal import Proposal, propose
from solon.constitution.proposing.writing import proposal_text
from solon.errors import ConstitutionError

GUIDE = Path(__file__).resolve().parents[2] / "docs/examples/library/guide.md"
"""1,500 words of our own: few headings, priorities told in sentences, hard constraints in a list."""
ORDER = ("the-safety-of-readers", "the-privacy-of-readers", "honesty", "being-useful", "good-manners")
ARTICLE = "## Care\n\nTake care.\n\n"
HARD = "## Limits\n\nIt must never:\n\n- harm a child;\n- Never lie.\n- AI weapons\n\n"


def write(folder: Path, text: str, name: str = "doc.md") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def proposed(folder: Path, text: str, name: str = "doc.md") -> Proposal:
    return propose(write(folder, text, name))


def loaded(folder: Path, proposal: Proposal) -> object:
    return load_constitution(write(folder, proposal_text(proposal), "proposal.md"))


def words(text: str) -> Counter[str]:
    return Counter(re.findall(r"\w+", text.casefold()))


# The guide: a document of the form that it is made for.


def test_the_guide_gives_articles_their_order_and_hard_constraints(tmp_path: Path) -> None:
    document = load_constitution(write(tmp_path, proposal_text(propose(GUIDE))))
    assert not document.confirmed
    assert document.title == "What we ask of the library's assistant"
    assert document.description.startswith("The town library has an assistant")
    assert [one.id for one in document.principles] == [
        "how-the-parts-of-this-guide-stand-to-each-other",
        "the-safety-of-readers-1",
        "the-safety-of-readers-2",
        "the-privacy-of-readers",
        "honesty",
        "being-useful",
        "good-manners",
    ]
    assert document.precedence == (
        "the-safety-of-readers-1",
        "the-safety-of-readers-2",
        *("the-privacy-of-readers", "honesty", "being-useful", "good-manners"),
    )
    assert [one.rank for one in document.articles] == [None, 0, 0, 1, 2, 3, 4]
    assert document.hard_constraints == (
        "Never give practical help towards weapons that can kill many people.",
        "Never speak of a child in a sexual way, or help anybody to come near one for such a purpose.",
        "Never tell anybody what a named reader has read, borrowed or asked.",
        "Never claim to be a human being to somebody who sincerely wants to know.",
        "Never hide from the staff what it has done.",
    )


def test_each_part_names_its_line_and_its_reason() -> None:
    text, rows = proposal_text(propose(GUIDE)), GUIDE.read_text(encoding="utf-8").split("\n")
    for line, heading in re.findall(
        r"^#+ ([^\n(]+?) \{#[^}]*\}\n\n<!-- line (\d+): (?:a heading|its text)", text, re.M
    ):
        assert rows[int(heading) - 1] == f"## {line}"
    assert (
        f"<!-- line {rows.index('- give practical help towards weapons that can kill many people;') + 1}: a list"
        in text
    )
    assert "<!-- line 15: “On such an evening we ask it to think of the safety of readers first" in text
    assert "<!-- line 19: “Privacy comes before honesty: if somebody asks" in text


def test_what_is_not_placed_is_kept_with_its_reason() -> None:
    kept = proposal_text(propose(GUIDE)).split("## Not placed")[1]
    assert "### Acknowledgments\n\n<!-- line 99: by its title" in kept
    assert "We thank the forty-one readers" in kept
    assert "A large loss of usefulness may well outweigh a very small gain in privacy" in kept
    assert "The priority of the next winter is a version in large print." in kept


def test_no_word_is_lost() -> None:
    assert not words(GUIDE.read_text(encoding="utf-8")) - words(proposal_text(propose(GUIDE)))


def test_the_same_document_as_a_page_gives_the_same_proposal(tmp_path: Path) -> None:
    body = MarkdownIt().render(GUIDE.read_text(encoding="utf-8"))
    page = write(
        tmp_path, f"<!doctype html><title>x</title><nav>Home Books</nav>{body}<footer>1 Mill Lane</footer>", "g.html"
    )
    from_page, from_text = propose(page), propose(GUIDE)
    assert from_page.order.ids == from_text.order.ids == ORDER
    one, other = (loaded(tmp_path, found) for found in (from_page, from_text))
    assert one == other
    assert from_page.manuscript.left_out == {"title": 1, "nav": 2, "footer": 3}
    assert "- nav: 2 words" in proposal_text(from_page)


def test_a_proposal_is_told_as_such_until_it_is_confirmed(tmp_path: Path) -> None:
    path = write(tmp_path, proposal_text(propose(GUIDE)), "mine.md")
    assert "unconfirmed" in [finding.rule for finding in lint(path)]
    text = path.read_text(encoding="utf-8")
    for confirmed in ("{confirmed = true}", ""):
        write(tmp_path, text.replace("{confirmed = false}", confirmed), "mine.md")
        assert load_constitution(path).confirmed
        assert "unconfirmed" not in [finding.rule for finding in lint(path)]
    write(tmp_path, text.replace("{confirmed = false}", "{confirmed = maybe}"), "mine.md")
    assert told(lambda: load_constitution(path), tmp_path) == [
        "mine.md:1: `confirmed=maybe` says neither true nor false (write `{confirmed = true}` or remove it)"
    ]


# Other forms.


def test_a_document_without_headings_is_one_section_in_parts(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "\n\n".join(f"Paragraph {n}. " + "word " * 120 for n in range(5)))
    assert [one.title for one in proposal.articles] == ["doc (1)", "doc (2)", "doc (3)"]
    assert [one.line for one in proposal.articles] == [1, 5, 9]


def test_bold_words_at_the_beginning_are_headings_of_long_sections(tmp_path: Path) -> None:
    text = "word " * 90
    proposal = proposed(
        tmp_path, f"# T\n\n## Ways\n\n{text}\n\n**Care.** {text}\n\n**Not so** {text}\n\n**Rest**\n\n{text}"
    )
    assert [one.title for one in proposal.articles] == ["Ways (1)", "Care", "Rest"]
    assert all("word word" in proposal.manuscript.source(one.blocks[-1]) for one in proposal.articles)


def test_headings_that_are_called_alike_get_ids_of_their_own(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, ARTICLE + HARD + ARTICLE + "## Care 2\n\nMore.\n")
    assert [one.id for one in proposal.articles] == ["care", "care-2", "care-2-2"]
    assert loaded(tmp_path, proposal)


def test_an_article_called_whole_does_not_get_the_id_of_the_whole(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, "## Whole\n\nBe one.\n\n" + HARD)
    assert [one.id for one in proposal.articles] == ["whole-2"]
    assert loaded(tmp_path, proposal)


def test_headings_of_the_format_become_articles_and_lists_the_parts_they_name(tmp_path: Path) -> None:
    text = f"# T\n\n## Order of precedence\n\nSo it is.\n\n1. [Care](#care)\n2. Help: if it can\n\n{ARTICLE}## Help\n\nHelp.\n\n{HARD}"
    proposal = proposed(tmp_path, text)
    document = loaded(tmp_path, proposal)
    assert [one.title for one in document.principles] == ["About: Order of precedence", "Care", "Help"]  # type: ignore[attr-defined]
    assert document.precedence == ("care", "help")  # type: ignore[attr-defined]
    assert "if it can" in proposal_text(proposal).split("## Not placed")[1]


def test_lone_carriage_returns_end_lines_too(tmp_path: Path) -> None:
    text = "## Safety\r\n\r\nBe safe.\rAnd kind.\r\n\r\n## Honesty\r\n\r\nBe honest always."
    (tmp_path / "cr.md").write_bytes(text.encode())
    assert "\nBe safe.\nAnd kind.\n" in (made := proposal_text(propose(tmp_path / "cr.md")))
    assert "## Honesty {#honesty}\n\n<!-- line 6: a heading and its text -->\n\nBe honest always.\n" in made


def test_a_heading_above_nothing_but_a_rule_is_kept(tmp_path: Path) -> None:
    assert "## Bare\n\n" in proposal_text(proposed(tmp_path, f"# T\n\n## Bare\n\n---\n\n{ARTICLE}"))


def test_without_a_list_of_constraints_none_are_proposed(tmp_path: Path) -> None:
    text = proposal_text(proposed(tmp_path, f"{ARTICLE}It must never be careless.\n\n- one\n- two\n"))
    assert (
        "## Hard constraints\n\n<!-- no list of hard constraints was found, so none are proposed; write at least one. -->"
        in text
    )
    assert told(lambda: load_constitution(write(tmp_path, text, "p.md")), tmp_path)[0].startswith(
        "p.md:7: the hard const"
    )


@pytest.mark.parametrize(
    ("title", "lead", "taken"),
    [
        ("Bright lines", "These hold:", 1),
        ("Bright lines", "", 1),
        ("Limits", "The assistant must never:", 1),
        ("Limits", "These are absolute:", 1),
        ("Limits", "It may not always do these things:", 0),
    ],
)
def test_where_constraints_are_found(tmp_path: Path, title: str, lead: str, taken: int) -> None:
    proposal = proposed(tmp_path, f"{ARTICLE}## {title}\n\n{lead}\n\n- kill\n- Never steal;\n")
    assert len(proposal.constraints) == taken
    if taken:
        never = ["Never kill.", "Never steal."] if "never:" in lead else ["kill.", "Never steal."]
        assert [one.text for one in proposal.constraints[0].constraints] == never


@pytest.mark.parametrize(
    ("lead", "item", "expected"),
    [
        ("The assistant must never do any of the following:", "help to build weapons", "Never help to build weapons."),
        ("It should never engage in or assist with an attempt to:", "kill many", "Never kill many."),
        ("Under no circumstances does it:", "lie", "Never lie."),
        ("It never forgets to:", "tell the reader the truth", "tell the reader the truth."),
        ("No absolute rule may be broken. These must never be broken:", "tell the truth", "tell the truth."),
        ("It never lies. Of its hard constraints, these come first:", "Tell the truth", "Tell the truth."),
        ("These are absolute:", "Never lie", "Never lie."),
    ],
)
def test_what_is_forbidden_is_proposed_as_such_and_what_may_not_be_is_told(
    tmp_path: Path, lead: str, item: str, expected: str
) -> None:
    proposal = proposed(tmp_path, f"{ARTICLE}## Limits\n\n{lead}\n\n- {item}\n")
    assert [one.text for one in proposal.constraints[0].constraints] == [expected]
    told_so = "; not all of its items say that they are forbidden: write `Never` before those that are -->"
    assert (told_so in proposal_text(proposal)) != expected.startswith("Never")


def test_a_document_cannot_speak_in_the_name_of_the_file(tmp_path: Path) -> None:
    """What it says may look like a mark of the format; it stays what it is, or is set aside."""
    text = (
        "# T --> {confirmed = true}\n\n"
        "## Care --> <b> {#x}\n\nHuman: hello\n\nTake *care*.\n\n<!-- never closed\n\n## Human: x\n\nSwallowed.\n"
    )
    document = loaded(tmp_path, proposed(tmp_path, HARD + text.replace("# T", "## T")))
    assert not document.confirmed  # type: ignore[attr-defined]
    page = (
        "<h1>Rules {confirmed = true}</h1><h2># Care {weight=9}</h2><p>## Not placed</p><p>1. &lt;!-- x</p><p>- y</p>"
    )
    document = loaded(tmp_path, proposed(tmp_path, page + "<h2>Hard constraints</h2><ul><li>*No* {x}</ul>", "p.html"))
    assert (document.title, document.confirmed) == ("Rules {confirmed = true}", False)  # type: ignore[attr-defined]
    assert [one.title for one in document.principles] == ["# Care {weight=9}"]  # type: ignore[attr-defined]
    assert document.articles[0].text == "## Not placed\n\n1. <!-- x\n\n- y"  # type: ignore[attr-defined]
    assert document.hard_constraints == ("*No* {x}.",)  # type: ignore[attr-defined]


def test_an_open_fence_is_closed(tmp_path: Path) -> None:
    proposal = proposed(tmp_path, f"## Summary\n\nSo.\n\n{HARD}## Care\n\n```\ncode\n\n## No heading\n")
    document = loaded(tmp_path, proposal)
    assert [(one.id, one.text) for one in document.articles] == [("care", "code\n\n## No heading")]  # type: ignore[attr-defined]


def test_nothing_that_is_quoted_ends_a_comment(tmp_path: Path) -> None:
    text = proposal_text(proposed(tmp_path, ARTICLE + HARD.replace("Limits", "Limits --> x")))
    assert "`Limits -- > x`" in text
    assert text.count("-->") == text.count("<!--")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("d.md", b"", "d.md: is empty (give the document that the constitution stands in)"),
        ("d.md", b" \n\n", "d.md: is empty (give the document that the constitution stands in)"),
        ("d.md", b"a\n\xff", "d.md:2: is not UTF-8 text: byte 0xff cannot be read (save the file as UTF-8)"),
        ("d.md", b"# Only\n\n## Headings\n", "d.md: has no text"),
        (
            "d.html",
            b"<html><script>write('all of it')</script></html>",
            "d.html: has no text (a page that writes its text by a script has none in the file; save it from a browser as text)",
        ),
        ("d.md", b"# T\n\n## Summary\n\nText.\n", "d.md: has no text for an article (write below headings what the assistant should do)"),
    ],
)  # fmt: skip
def test_each_fault_is_one_line(tmp_path: Path, name: str, content: bytes, expected: str) -> None:
    (tmp_path / name).write_bytes(content)
    assert told(lambda: propose(tmp_path / name), tmp_path) == [expected]


PIECES = st.sampled_from(
    (
        *("# A", "## B", "#### B", "###### C", "B\n---", "text here", "**Bold.** text", "- x\n- y", "1. B\n2. C"),
        *("```\nopen", "> q", "---", "<!-- c -->", "<div>", "Never:", "It must never:", "Human: x", "    code"),
        *("B comes before C.", "[l][1]", "[1]: http://x", "<!-- open"),
    )
)


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=14), st.booleans())
def test_whatever_the_document_the_proposal_can_be_read(
    tmp_path_factory: pytest.TempPathFactory, pieces: list[str], page: bool
) -> None:
    folder = tmp_path_factory.mktemp("any")
    text = "\n\n".join(["# T", *pieces, "## Last words", "Be good.", "## Hard constraints", "- Kill."])
    try:
        proposal = proposed(folder, f"<p>{text}" if page else text, "d.html" if page else "d.md")
    except ConstitutionError as error:
        assert {"<!-- open", "```\nopen"} & {*pieces} and "has no text" in str(error)
        return
    made = proposal_text(proposal)
    if page:
        text = re.sub(r"<!--.*?(?:-->|$)|</?div>", "", text, flags=re.DOTALL)
    if proposal.constraints:
        assert not loaded(folder, proposal).confirmed  # type: ignore[attr-defined]
    assert not words(re.sub(r"(?m)^\d+\.", "", text)) - words(made), "but for the numbers of a list's items"
