"""Markdown in a description: rendered, and harmless whatever it is."""

from __future__ import annotations

import pytest

from report.public_page import read_page
from solon.report.public.markdown import rendered

REL = 'rel="noopener noreferrer nofollow"'


def test_a_description_is_set_as_it_is_meant() -> None:
    text = "# Our *park*\n\nFirst line\nsecond line with **weight**.\n\n- one\n- two\n\n    not code"
    assert rendered(text) == (
        '<p class="head" dir="auto">Our <em>park</em></p>\n'
        '<p dir="auto">First line\nsecond line with <strong>weight</strong>.</p>\n'
        '<ul dir="auto">\n<li dir="auto">one</li>\n<li dir="auto">\n<p dir="auto">two</p>\n'
        '<p dir="auto">not code</p>\n</li>\n</ul>\n'
    ).replace('<li dir="auto">one</li>', '<li dir="auto">\n<p dir="auto">one</p>\n</li>')


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("[town](https://example.org/a?b=1&c)", f'<a href="https://example.org/a?b=1&amp;c" {REL}>town</a>'),
        ("[mail](mailto:a@example.org)", f'<a href="mailto:a@example.org" {REL}>mail</a>'),
        ("<https://example.org>", f'<a href="https://example.org" {REL}>https://example.org</a>'),
        ("[x](javascript:alert(1))", "[x](javascript:alert(1))"),
        ("[x](/local)", "[x](/local)"),
        ("[x](data:text/html,hi)", "[x](data:text/html,hi)"),
        ("![a map](http://example.org/m.png)", f'<a href="http://example.org/m.png" {REL}>a map</a>'),
        ("[![logo](http://e.org/l.png)](http://e.org)", f'<a href="http://e.org" {REL}>logo</a>'),
        ("<b onclick=x>bold</b>", "&lt;b onclick=x&gt;bold&lt;/b&gt;"),
        ("<script>alert(1)</script>", "&lt;script&gt;alert(1)&lt;/script&gt;"),
    ],
)
def test_links_lead_to_the_web_or_to_mail_and_nothing_is_loaded(text: str, html: str) -> None:
    assert rendered(text) == f'<p dir="auto">{html}</p>\n'


def test_what_looks_like_an_attack_closes_what_it_opens() -> None:
    for attack in (
        '"><img src=x onerror=alert(1)>',
        "[a](https://e.org/\"onmouseover='x')",
        "> > > `</p>`\n***",
        "![](x)",
    ):
        page = read_page(str(rendered(attack)))
        assert not page.all("img", "script")
        assert not [key for one in page.all("a", "p") for key in one.attributes if key.startswith("on")]
