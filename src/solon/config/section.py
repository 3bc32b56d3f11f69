"""What all sections of a run file are, and how their keys are marked."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ConfigDict, JsonValue
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

MECHANICAL = "changes how a result is computed, not the result"
"""Marks such keys: where things lie, on which device, how much at once, how many failures are too many. Results may
differ by rounding. What lies at a path counts by its content."""


def names_in(folder: str, pattern: str = "[a-z]*.py") -> tuple[str, ...]:
    """Choices that have a file each. The files are listed and not imported, so that torch is not."""
    return tuple(sorted(path.stem for path in (Path(__file__).parents[1] / folder).glob(pattern)))


def marks(field: FieldInfo) -> Iterator[Any]:
    """The annotations of a key, also where its value may be None."""
    yield from field.metadata
    for choice in get_args(field.annotation):
        yield from getattr(choice, "__metadata__", ())


def subsection(field: FieldInfo) -> type[Section] | None:
    """The section that a key holds, or may hold, if any."""
    kinds = get_args(field.annotation) or (field.annotation,)
    return next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)


class Section(BaseModel):
    """Base of all sections: frozen, unknown keys forbidden."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    def every_key(self) -> dict[str, JsonValue]:
        """As JSON, with those too that `model_dump` leaves out at their default."""
        kept = self.model_dump(mode="json")

        def plain(name: str, value: object) -> JsonValue:
            if isinstance(value, Section):
                return value.every_key()
            found: JsonValue = kept[name] if name in kept else to_jsonable_python(value)
            return found

        return {name: plain(name, value) for name, value in self}

    def result_settings(self) -> dict[str, JsonValue]:
        """Every key that can change a result, as JSON. Sections inside this one have settings of their own."""
        fields = type(self).model_fields
        left_out = {name for name, field in fields.items() if MECHANICAL in marks(field) or subsection(field)}
        return self.model_dump(mode="json", exclude=left_out)
