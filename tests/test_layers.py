"""The house rules that a machine can check: which way imports point, what stays free of torch, how long things get."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

SRC = Path(__file__).resolve().parents[1] / "src"

FLOORS: tuple[frozenset[str], ...] = (
    frozenset({"errors", "records", "seeds", "text", "toml_text", "places", "config", "progress", "artifacts"}),
    frozenset({"constitution", "prompting", "data", "world", "lm", "models"}),
    frozenset({"feedback", "train", "evals", "collective"}),
    frozenset({"embedded", "pipeline", "report", "export"}),
    frozenset({"figures"}),
    frozenset({"town"}),
    frozenset({"cli", "web", "__main__"}),
)
"""Top-level parts of the package, ground floor first. A part may import from its own floor (no cycles) and below."""

FREE_OF_TORCH = FLOORS[0] | {
    "constitution",
    "prompting",
    "data",
    "world",
    "collective",
    "export",
    "cli",
    "web",
    "embedded.answers",
    "embedded.lessons",
    "embedded.wordings",
    "lm.batcher",
    "lm.engines",
    "lm.engines.faulty",
    "lm.engines.scripted",
    "lm.protocols",
    "models.allocator",
    "models.folder",
    "models.hub",
    "models.hub_faults",
    "models.where",
    "models.generation",
    "pipeline.pinning",
    "pipeline.prompt_writing",
    "pipeline.settle",
    "pipeline.stages",
    "train.tracking",
}
HEAVY = ("torch", "transformers")

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60
MAX_LOOP_LINES = 100
LOOPS = ("train", "pretrain", "run")
"""Names (or their first word) of the training loops, which may be longer."""
ALLOWED: frozenset[str] = frozenset()
"""`module:function` or `module` that may be longer than the rule, each with its reason. Empty, and meant to stay so."""


@cache
def modules() -> dict[str, Path]:
    """Every module of the package by its dotted name."""
    names = {}
    for path in sorted((SRC / "solon").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        names[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return names


@cache
def tree(module: str) -> ast.Module:
    return ast.parse(modules()[module].read_text(encoding="utf-8"))


def imported_names(module: str) -> Iterator[str]:
    """Dotted names that a module imports; `from a import b` gives `a` and `a.b`, of which one may not be a module."""
    bodies: list[ast.AST] = [tree(module)]
    while bodies:
        node = bodies.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module}:{node.lineno}: relative import"
            assert node.module is not None
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        bodies.extend(ast.iter_child_nodes(node))


@cache
def imports(module: str) -> frozenset[str]:
    """Modules of the package that a module imports anywhere in its text, functions included, and their parents."""
    dotted = [name.split(".") for name in imported_names(module)]
    names = {".".join(parts[:count]) for parts in dotted for count in range(1, len(parts) + 1)}
    return frozenset(name for name in names if name in modules() and name != module)


def part(module: str) -> str:
    """The top-level part: `cli` of `solon.cli.main`; empty for the package itself."""
    return module.split(".")[1] if "." in module else ""


def floor(module: str) -> int:
    return next((level for level, parts in enumerate(FLOORS) if part(module) in parts), -1)


def reachable(module: str) -> dict[str, tuple[str, ...]]:
    """Everything a module leads to, through any chain of imports, with that chain."""
    found = {module: (module,)}
    waiting = [module]
    while waiting:
        at = waiting.pop()
        for name in imports(at):
            if name not in found:
                found[name] = (*found[at], name)
                waiting.append(name)
    return found


def test_every_module_has_a_floor() -> None:
    homeless = [name for name in modules() if name != "solon" and floor(name) < 0]
    assert not homeless, f"not in FLOORS: {homeless}"


def test_imports_point_down() -> None:
    upward = [
        f"{module} -> {name}"
        for module in modules()
        if module != "solon"
        for name in imports(module)
        if name != "solon" and floor(name) > floor(module)
    ]
    assert not upward, upward


def test_parts_of_one_floor_form_no_cycle() -> None:
    below: dict[str, set[str]] = {}
    for module in modules():
        needed = {part(name) for name in imports(module)} - {part(module), ""}
        below.setdefault(part(module), set()).update(needed)
    while free := [name for name, needed in below.items() if not needed & below.keys()]:
        for name in free:
            del below[name]
    assert not below, f"cyclic: {below}"


@pytest.mark.parametrize("shared", ["site", "visit", "access", "routing", "parts"])
def test_what_all_pages_share_imports_no_page(shared: str) -> None:
    """Nor, then, itself, so that each can be imported first. `app` alone knows the pages."""
    assert {"solon.web.chat", "solon.web.arena"} <= imports("solon.web.app")
    packages = {
        name for name, path in modules().items() if path.name == "__init__.py" and name.startswith("solon.web.")
    }
    pages = packages & imports("solon.web.app")
    chains = [" -> ".join(chain) for name, chain in reachable(f"solon.web.{shared}").items() if name in pages]
    assert not chains, chains


@pytest.mark.parametrize("blind", ["feedback", "train"])
def test_feedback_and_training_cannot_reach_the_oracle(blind: str) -> None:
    """Harmlessness labels come from the model alone, so neither part may touch the world, however indirectly."""
    chains = [
        " -> ".join(chain)
        for module in modules()
        if part(module) == blind
        for name, chain in reachable(module).items()
        if part(name) == "world"
    ]
    assert not chains, chains


@pytest.mark.parametrize("blind", ["feedback", "train"])
def test_feedback_and_training_import_nothing_by_name(blind: str) -> None:
    """`import_module("solon.world")` would slip past the test above."""
    for module in modules():
        if part(module) == blind:
            assert not {"importlib", "runpy", "pkgutil"} & set(imported_names(module)), module
            text = modules()[module].read_text(encoding="utf-8")
            assert "__import__" not in text and "solon.world" not in text, module


def test_light_modules_import_no_torch() -> None:
    light = [name for name in modules() if name == "solon" or {part(name), name.removeprefix("solon.")} & FREE_OF_TORCH]
    script = f"""
import importlib, sys
for name in {light!r}:
    importlib.import_module(name)
    heavy = [heavy for heavy in {HEAVY!r} if heavy in sys.modules]
    if heavy:
        sys.exit(f"{{name}} imports {{heavy}}")
"""
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_files_stay_readable() -> None:
    lines = {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in modules().items()}
    long = {name: count for name, count in lines.items() if count > MAX_FILE_LINES and name not in ALLOWED}
    assert not long, f"split by idea: {long}"


def test_functions_stay_readable() -> None:
    long = {
        f"{module}:{node.name}": lines
        for module in modules()
        for node in ast.walk(tree(module))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := code_lines(node)) > longest_allowed(node.name)
        and f"{module}:{node.name}" not in ALLOWED
        and not is_migration(module, node.name)
    }
    assert not long, f"split: {long}"


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines from `def` to the end, without the docstring: explaining is free."""
    assert function.end_lineno is not None
    docstring = function.body[0] if ast.get_docstring(function) is not None else None
    spared = docstring.end_lineno - docstring.lineno + 1 if docstring and docstring.end_lineno else 0
    return function.end_lineno - function.lineno + 1 - spared


def is_migration(module: str, function: str) -> bool:
    """A step of the site's database: one list of tables and columns, which nothing may change once it is released."""
    return module.startswith("solon.web.db.migrations.versions.") and function in ("upgrade", "downgrade")


def longest_allowed(name: str) -> int:
    return MAX_LOOP_LINES if name.split("_")[0] in LOOPS else MAX_FUNCTION_LINES


def test_the_allowlist_names_only_what_exists() -> None:
    for entry in ALLOWED:
        module, _, function = entry.partition(":")
        assert module in modules(), entry
        defined = {node.name for node in ast.walk(tree(module)) if isinstance(node, ast.FunctionDef)}
        assert not function or function in defined, entry
