"""What is wrong with files and models, said to whoever visits: without where they lie on the machine that serves."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from solon.errors import Fault, UserError

_QUOTED = re.compile(r"(['\"`])(?:/[^/'\"`\n]+)*/([^/'\"`\n]*)\1")
_BARE = re.compile(r"(?<![\w./~:-])/(?:[^/\s'\"`():,;]+/)*([^/\s'\"`():,;]*)")
"""A path from the root. `and/or` is none, nor is what follows `https:`."""


def told(error: Exception, folder: Path | None) -> str:
    """The words of an error: what lies in `folder` by its place there, all else by its name."""
    faults = error.faults if isinstance(error, UserError) else (Fault(str(error)),)
    return "\n".join(shortened(str(_placed(fault, folder)), folder) for fault in faults)


def shortened(text: str, folder: Path | None = None) -> str:
    """
    >>> shortened("/srv/runs/demo/summary.json:3: is no JSON (see /etc/solon/notes, or 'https://x.org/a/b')")
    "summary.json:3: is no JSON (see notes, or 'https://x.org/a/b')"
    >>> shortened("[Errno 13] Permission denied: '/srv/my runs/demo/run.json'", Path("/srv/my runs"))
    "[Errno 13] Permission denied: 'demo/run.json'"
    """
    for place in _names(folder):
        text = re.sub(rf"(?<![\w./-]){re.escape(place)}/", "", text)
    return _BARE.sub(r"\1", _QUOTED.sub(r"\1\2\1", text))


def _placed(fault: Fault, folder: Path | None) -> Fault:
    """A path with spaces is told from the words around it here alone."""
    if fault.where is None or not Path(fault.where.path).is_absolute():
        return fault
    path = str(fault.where.path)
    inside = next((place for place in _names(folder) if path.startswith(f"{place}/")), None)
    return replace(fault, where=replace(fault.where, path=path[len(inside) + 1 :] if inside else Path(path).name))


def _names(folder: Path | None) -> list[str]:
    """As it was given, and from the root."""
    return [] if folder is None else [str(one) for one in {folder, folder.absolute(), folder.resolve()} if one.name]
