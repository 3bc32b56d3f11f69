"""With what a run's judge was asked again, and what of its answers was left out."""

from __future__ import annotations

from pydantic import Field

from solon.records import Record


class Origin(Record):
    """Of figures that are kept in a run's folder beside its stages, which may go on without them."""

    comparisons: str
    """The fingerprint of the run's comparisons."""
    settings: tuple[str, ...] = ()
    """Keys that were not as in the run file, as they were given."""
    dropped: dict[str, int] = Field(default_factory=dict)
    """Pairs that gave no label, by reason."""
    noted: dict[str, int] = Field(default_factory=dict)
    """What is to be known of others."""
