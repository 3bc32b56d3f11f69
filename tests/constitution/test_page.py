"""HTML as Markdown: what is kept, from which line, and that no text of a page is read as mark-up."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from solon.constitution.markdown import plain_text, sections
from solon.constitution.proposing.page import escaped, read_page


def markdown(html: str) -> str:
    return read_page(html).text.strip("\n")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<h2>One</h2><p>a\n b</p>", "## One\n\na b"),
        ("<p>a<p>b", "a\n\nb"),
        ("a<br>b<br><br>c", "a b\n\nc"),
        ("<ul><li>a<li><p>b</p><p>c</p></ul>d", "- a\n\n- b\n\n  c\n\nd"),
        ("<ol><li>a<ul><li>b</ul><li>c</ol>", "1. a\n\n   - b\n\n2. c"),
        ("<p><b>Care.</b> It <b>cares</b>.", "**Care.** It cares."),
        ("<p><strong> Care </strong>: it", "**Care**: it"),
        ("<p><b>Care</b>less", "**Care** less"),
        ("<p>x &lt;!-- y --&gt; &amp;lt; *z*", "x \\<!-- y --\\> \\&lt; \\*z\\*"),
        ("<p># a<p>1. b<p>- c<p>2) d", "\\# a\n\n1\\. b\n\n\\- c\n\n2\\) d"),
        ("<pre>if x:\n  y</pre>", "    if x:\n      y"),
        ("<p>a<script>b</script><style>c</style>d", "ad"),
        ("<table><tr><td>a<td>b</table>", "a\n\nb"),
    ],
)
def test_what_a_page_becomes(html: str, expected: str) -> None:
    assert markdown(html) == expected


def test_lines_and_what_is_left_out() -> None:
    page = read_page("<title>T</title>\n<nav>\none two</nav>\n<h1>\n\nHead</h1>\n\n<p>a\nb</p><p>c")
    assert list(zip(page.text.split("\n"), page.lines, strict=False)) == [
        ("# Head", 6), ("", 6), ("a b", 8), ("", 8), ("c", 9), ("", 9)
    ]  # fmt: skip
    assert page.left_out == {"title": 1, "nav": 2}


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=40))
def test_escaped_text_is_read_as_itself(text: str) -> None:
    said = " ".join(text.split())
    found = sections(f"{escaped(text)}\n")
    assert [one.level for one in found] == [0]
    assert MarkdownIt("commonmark").parse(escaped(text))[:1] == [] or plain_text(found[0].blocks) == said
