"""A training example on the terminal, token by token, showing which tokens the loss counts."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby

from rich.console import Group, RenderableType
from rich.text import Text

from solon.text import printable

OPEN, CLOSE = "{+", "+}"
"""Around every stretch that the loss counts; readable without colour and in ASCII."""
COUNTED, CONTEXT = "bold black on bright_cyan", "dim"


def mask_view(tokens: Sequence[str], loss_mask: Sequence[bool], *, title: str = "") -> RenderableType:
    """The example as something `rich` can print, under a legend.

    tokens: the decoded text of each token, (T,); untrusted, so it is neither read as markup nor sent to the terminal
    raw: control and format characters are shown as escapes, line ends as `\\n` and a line end.
    loss_mask: (T,), True where the loss counts the token.
    Raises `ValueError` if the lengths differ.
    """
    if len(tokens) != len(loss_mask):
        raise ValueError(f"{len(tokens)} tokens but {len(loss_mask)} mask entries")
    body = Text()
    for counted, run in groupby(zip(tokens, loss_mask, strict=True), key=lambda item: bool(item[1])):
        text = "".join(printable(token).replace("\n", "\\n\n") for token, _ in run)
        if counted:
            body.append(OPEN + text + CLOSE, style=COUNTED)
        else:
            body.append(text, style=CONTEXT)
    legend = Text()
    if title:
        legend.append(printable(" ".join(title.split("\n"))) + "\n", style="bold")
    legend.append(f"{OPEN}counted{CLOSE}", style=COUNTED)
    legend.append(f" {sum(map(bool, loss_mask))} of {len(tokens)} tokens count in the loss; ")
    legend.append("the rest", style=CONTEXT)
    legend.append(" is context.")
    return Group(legend, Text(), body)
