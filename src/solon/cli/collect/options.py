"""Options that several commands of `solon collect` share, so that each has one name and one meaning."""

from __future__ import annotations

from enum import StrEnum

import typer


class Method(StrEnum):
    """Ways to find groups."""

    polis = "polis"
    ccai = "ccai"


class Spoken(StrEnum):
    """Languages that topics and merges know, as `principles/templates/languages.toml` has them."""

    en = "en"
    de = "de"
    fr = "fr"
    es = "es"
    zh = "zh"


FOLDER = typer.Argument(metavar="DIR", help="A Polis export as it is, or what `solon collect import` wrote.")
GROUPS = typer.Option("--groups", metavar="FILE", help="A table `participant`, `group`; or exported; or found.")
FORCE = typer.Option("--force", help="Overwrite what is there.")
K = typer.Option("--k", min=1, help="How many groups; else as many as most tries choose.")
METHOD = typer.Option("--method", help="polis: as Polis finds them; ccai: as the CCAI study did.")
NO_SMOOTHING = typer.Option("--no-smoothing", help="agrees / votes, as in the CCAI study; else (agrees+1) / (votes+2).")
SEED = typer.Option("--seed", min=0, help="Of the clustering's starts. Ids do not matter.")
STABILITY = typer.Option("--stability/--no-stability", help="Say how far to trust the groups.")
UNMODERATED = typer.Option("--include-unmoderated", help="Statements that were never moderated, too.")
K_IS_FOR_FOUND = "--k is for groups that are to be found; leave it out beside --groups"
