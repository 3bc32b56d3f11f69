"""A lineage as a tree on the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Console
from rich.text import Text
from rich.tree import Tree

from solon.report.lineage.records import Lineage, Origin, Step, Thing
from solon.text import printable

LINKS = {"exact": "exact", "association": "association only"}
LEGEND = (
    "exact: the run's rows and manifests say so. association only: they have something in common, such as the prompt; "
    "that one made the other what it is, nobody can say."
)


def print_lineage(found: Lineage, console: Console) -> None:
    tree = Tree(_named(found.thing), guide_style="dim")
    if found.thing.origin:
        for line in origin_lines(found.thing.origin):
            tree.add(Text(printable(line), style="dim"))
    _branch(tree, "back: where it comes from", found.back)
    _branch(tree, "forward: what came of it", found.forward)
    console.print(tree)
    for note in (*found.notes, LEGEND):
        console.print(Text(printable(note), style="dim"))


def origin_lines(origin: Origin) -> list[str]:
    """What the root carries."""
    models = [f"{role} {identity}" for role, identity in origin.models.items()]
    found = [f"stage {origin.stage}, seed {origin.seed}" + (f"; {', '.join(models)}" if models else "")]
    if origin.principle_ids:
        same = {True: "which the stage was made from", False: "changed since the stage was made", None: ""}
        told = same[origin.constitution_is_the_stages]
        version = f"constitution {(origin.constitution_sha256 or 'not kept')[:12]}" + (f", {told}" if told else "")
        found.append(f"principles {', '.join(origin.principle_ids)}; {version}")
    if origin.prompt_hashes:
        found.append(f"hashes of what was asked: {', '.join(origin.prompt_hashes)}")
    return found


def _branch(tree: Tree, title: str, steps: Sequence[Step]) -> None:
    branch = tree.add(Text(title, style="bold"))
    if not steps:
        branch.add(Text("nothing in this run", style="dim"))
    for step in steps:
        _step(branch, step)


def _step(tree: Tree, step: Step) -> None:
    style = "green" if step.link == "exact" else "yellow"
    count = f" ({step.total:,})" if step.total > 1 else ""
    branch = tree.add(Text.assemble((f"{LINKS[step.link]}: ", style), printable(step.says) + count))
    for one in step.things:
        inner = branch.add(_named(one))
        for further in one.steps:
            _step(inner, further)
    if (more := step.total - len(step.things)) > 0:
        branch.add(Text(f"and {more:,} more", style="dim"))


def _named(thing: Thing) -> Text:
    return Text.assemble(f"{thing.kind} ", (printable(thing.at), "bold"), "  ", printable(thing.says))
