from __future__ import annotations

import io

import pytest
from rich.console import Console

from solon.cli.show import mask_view


def printed(tokens: list[str], mask: list[bool], *, colour: bool, title: str = "") -> str:
    console = Console(
        file=io.StringIO(), width=200, force_terminal=colour, color_system="truecolor" if colour else None
    )
    console.print(mask_view(tokens, mask, title=title))
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


def test_without_colour_marks_show_what_counts() -> None:
    text = printed(
        ["\n\nHuman:", " hi", "\n\nAssistant:", " Hel", "lo", "."], [False] * 3 + [True, True, False], colour=False
    )
    assert text.splitlines() == [
        "{+counted+} 2 of 6 tokens count in the loss; the rest is context.",
        "",
        "\\n",
        "\\n",
        "Human: hi\\n",
        "\\n",
        "Assistant:{+ Hello+}.",
    ]


def test_with_colour_only_what_counts_is_highlighted() -> None:
    text = printed(["left", "right"], [False, True], colour=True)
    line = text.splitlines()[-1]
    context, counted = line.split("{+")
    assert "\x1b[2mleft" in context
    assert "\x1b[1;30;106m" in context, "the highlight begins with the mark"
    assert counted.startswith("right+}\x1b[0m")


def test_untrusted_text_is_neither_markup_nor_control() -> None:
    text = printed(
        ["[red]x[/red]", "\x1b[31m", "\u202eabc\r\b"], [True, False, True], colour=False, title="a\x1b]0;t\x07"
    )
    assert "[red]x[/red]" in text
    assert "\\x1b[31m" in text
    assert "\\u202eabc\\r\\x08" in text
    assert not set(text) & {"\x1b", "\u202e", "\r", "\b", "\x07"}


def test_text_that_reads_fine_is_shown_as_it_is() -> None:
    assert "Grüße 東京 🪜 {x} [b]" in printed(["Grüße 東京 🪜 {x} [b]"], [False], colour=False)


def test_lengths_must_agree() -> None:
    with pytest.raises(ValueError, match="2 tokens but 1 mask entries"):
        mask_view(["a", "b"], [True])
