"""What `solon trace --json` prints."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, JsonValue

from solon.records import Record

Kind = Literal[
    "prompt",
    "answer",
    "revision",
    "demonstration",
    "dialogue",
    "pair",
    "comparison",
    "ranking",
    "rollout",
    "score",
    "principle",
    "statement",
    "model",
]
Link = Literal["exact", "association"]
"""`exact`: the rows and manifests say so. `association`: the two have something in common, such as their prompt, and
nobody can say that one made the other what it is."""


class Origin(Record):
    """How a thing came about. What a row does not say itself follows from the manifest of its stage."""

    stage: str
    """Its folder in the run."""
    models: dict[str, str] = Field(default_factory=dict)
    """Who wrote or judged it: role or trained model, and identity."""
    seed: int | None = None
    """The run's. The seed of each text is derived from it, the stage's name and the row's id (`solon.seeds`)."""
    principle_ids: tuple[str, ...] = ()
    constitution_sha256: str | None = None
    """Of the run's `constitution.json`; of a row with principles."""
    constitution_is_the_stages: bool | None = None
    """Whether that file says to this stage what the stage was made from, by the hash in its manifest."""
    prompt_hashes: tuple[str, ...] = ()
    """Of what models were asked, where it is more than the prompt: critiques, revisions, verdicts."""


class Thing(Record):
    """A row, a principle, a statement of the public or a model."""

    kind: Kind
    id: str
    at: str
    """Its full name: the stage's folder, or `constitution` or `statements`, and the id."""
    says: str
    """In a line."""
    origin: Origin | None = None
    row: JsonValue = None
    """All of it, as the run keeps it."""


class Step(Record):
    """Where one link leads."""

    link: Link
    says: str
    total: int
    things: tuple[Node, ...]
    """The first of them."""


class Node(Thing):
    """A thing, and where the way goes on from it."""

    steps: tuple[Step, ...] = ()


class Lineage(Record):
    """A thing with all that it comes from and all that came of it."""

    format: Literal["solon-lineage-1"] = "solon-lineage-1"
    run: str
    thing: Thing
    back: tuple[Step, ...]
    forward: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """Where a way ends that might have gone on."""


Step.model_rebuild()
