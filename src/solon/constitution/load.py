"""Finding and loading a constitution by name or path."""

from __future__ import annotations

from pathlib import Path

from solon.constitution.lists import read_list
from solon.constitution.principles import Constitution, ConstitutionFile
from solon.errors import ConstitutionError, Where
from solon.text import listed, nearest

LIBRARY = Path(__file__).parent / "library"
SUFFIXES = (".toml", ".md")


def shipped() -> tuple[str, ...]:
    """Names of the constitutions in the package, in alphabetical order."""
    return tuple(sorted(path.stem for path in LIBRARY.iterdir() if path.suffix in SUFFIXES))


def load_constitution(name_or_path: str | Path) -> Constitution:
    """Loads a shipped constitution by name, or a TOML list, a Markdown document, or a folder made by `import`.

    Raises ConstitutionError with every fault of the file, each with its line and what to do. A shipped name wins over a
    file or folder of the same name; write `./name` for the latter.
    """
    return read_constitution(name_or_path).constitution


def read_constitution(name_or_path: str | Path) -> ConstitutionFile:
    """As `load_constitution`, together with the file and the line of every part."""
    path = find_constitution(name_or_path)
    if path.suffix.lower() == ".toml":
        return read_list(path)
    from solon.constitution.document import read_document  # the parser of Markdown takes long to import

    return read_document(path)


def find_constitution(name_or_path: str | Path) -> Path:
    """The file that a name or path stands for. Raises ConstitutionError if there is none."""
    if str(name_or_path) in shipped():
        return next(path for path in LIBRARY.iterdir() if path.stem == str(name_or_path) and path.suffix in SUFFIXES)
    path = Path(name_or_path)
    if path.is_dir():
        return _in_folder(path)
    if not path.exists():
        raise ConstitutionError("there is no such constitution", where=Where(path), hint=_suggestion(path))
    if path.suffix.lower() not in SUFFIXES:
        what = f"a constitution is a .toml or .md file, not `{path.suffix or path.name}`"
        hint = "a list of principles is .toml, a document with articles is .md; rename the file if it is one of them"
        raise ConstitutionError(what, where=Where(path), hint=hint)
    return path


def _in_folder(folder: Path) -> Path:
    found = [folder / f"constitution{suffix}" for suffix in SUFFIXES if (folder / f"constitution{suffix}").is_file()]
    if len(found) == 1:
        return found[0]
    if found:
        hint = f"name one: {listed(map(str, found))}"
        raise ConstitutionError("the folder has two constitutions", where=Where(folder), hint=hint)
    others = sorted(str(path) for path in folder.iterdir() if path.suffix.lower() in SUFFIXES)
    hint = f"name one of its files: {listed(others)}" if others else "`solon constitution import` makes such a folder"
    raise ConstitutionError("the folder has no constitution.toml or constitution.md", where=Where(folder), hint=hint)


def _suggestion(path: Path) -> str:
    """Near matches among the files beside it and the shipped names; all shipped names."""
    beside = path.parent.iterdir() if path.parent.is_dir() else ()
    known = {file.stem: str(file) for file in beside if file.suffix.lower() in SUFFIXES}
    known |= {name: name for name in shipped()}
    found = nearest(path.stem, known)
    hints = [f"did you mean `{known[found]}`?"] if found else []
    return "; ".join([*hints, f"shipped are {listed(shipped())}"])
