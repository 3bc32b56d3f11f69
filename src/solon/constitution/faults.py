"""Collecting what is wrong with one file, so that all of it is reported together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from solon.constitution.reading import kind
from solon.errors import ConstitutionError, Fault, UserError, Where
from solon.places import KeyPath, Places
from solon.text import did_you_mean, listed


class Faults:
    """The faults of the file at `path`, which are raised as an `error`."""

    def __init__(self, path: Path, error: type[UserError] = ConstitutionError) -> None:
        self.path = path
        self._error = error
        self._found: list[Fault] = []

    def __len__(self) -> int:
        return len(self._found)

    def add(self, what: str, line: int | None = None, hint: str | None = None) -> None:
        self._found.append(Fault(what, Where(self.path, line), hint))

    def add_repeated_keys(self, where: Places) -> None:
        """One fault per JSON key that is given twice; what stands inside the second value is not counted again."""
        for key, line in where.repeated.items():
            if any(key[:depth] in where.repeated for depth in range(len(key))):
                continue
            self.add(f"the key `{key[-1]}` is given twice in one object", line, "keep one of them")

    def add_refused(
        self,
        error: ValidationError,
        where: Places,
        *,
        under: KeyPath = (),
        label: str = "",
        known: Iterable[str] = (),
        hint: str | None = None,
    ) -> None:
        """One fault per field that pydantic refused.

        `under` leads from the file's root to the record, `label` names the record, `known` are its keys. What concerns
        a record as a whole (its `model_validator`) is left to the caller, who can say more about it.
        """
        for detail in error.errors(include_url=False):
            if not detail["loc"]:
                continue
            key = ".".join(str(part) for part in detail["loc"])
            line = where.line((*under, *detail["loc"]))
            lead = f"{label}: " if label else ""
            if detail["type"] == "extra_forbidden":
                near_key = did_you_mean(str(detail["loc"][-1]), known) or (
                    f"known keys are {listed(known)}" if known else None
                )
                self.add(f"{lead}unknown key `{key}`", line, near_key or "remove it")
            else:
                self.add(f"{lead}`{key}` {_said_plainly(detail)}", line, hint)

    def raise_any(self) -> None:
        """Raises the error if anything was found: in the order of the lines, faults of the whole file first."""
        if self._found:
            raise self._error(sorted(self._found, key=_line))


def _line(fault: Fault) -> int:
    return fault.where.line or 0 if fault.where else 0


def _said_plainly(detail: ErrorDetails) -> str:
    expected = {
        "string_type": "text",
        "tuple_type": "a list",
        "float_type": "a number",
        "model_type": "a table",
        "dict_type": "a table",
    }.get(detail["type"])
    if expected:
        return f"must be {expected}, not {kind(detail['input'])}"
    if detail["type"] == "missing":
        return "is missing"
    if detail["type"] == "value_error":
        return str(detail["ctx"]["error"])
    if detail["type"] in ("greater_than", "finite_number"):
        return f"must be a finite number greater than 0, not {detail['input']}"
    return f"cannot be used: {detail['msg'][0].lower()}{detail['msg'][1:]}"
