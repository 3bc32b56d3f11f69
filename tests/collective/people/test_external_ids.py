"""A panel's attributes, which name people as the panel does, joined with the conversation; and where such names go."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from collective.people.samples import loaded
from polis_exports import clojure, folder_bytes
from solon.collective.conversation import Conversation
from solon.collective.exporting import export_conversation
from solon.collective.opinion.analysis import analyse
from solon.collective.opinion.files import write_analysis
from solon.collective.people.sample import UNKNOWN, of_voters, read_attributes
from solon.collective.reading.folder import open_conversation, write_import
from solon.errors import InputError
from talks import talk

HEAD = "xid,age,region,resident\n"


def panel() -> Conversation:
    made = talk([[1, 0], [-1, 1], [1, 1]], people=[3, 5, 8])
    named = tuple(one.model_copy(update={"xid": f"panel-{one.id}"}) for one in made.participants)
    return replace(made, participants=named)


def attributes(folder: Path, text: str) -> Path:
    path = folder / "attributes.csv"
    path.write_text(text, encoding="utf-8")
    return path


def test_people_are_joined_by_the_names_of_the_panel(tmp_path: Path) -> None:
    rows = "panel-8,18-34,north,yes\npanel-99,75+,north,yes\n panel-3 ,75+,south,yes\n"
    sample = of_voters(read_attributes(attributes(tmp_path, HEAD + rows), loaded(tmp_path), panel()), panel())
    assert sample.participant_ids.tolist() == [3, 5, 8]
    assert sample.categories["age"] == ("55-74", UNKNOWN, "18-34")
    assert sample.categories["region"] == ("south", UNKNOWN, "north")
    assert (sample.without_attributes, sample.without_votes) == (1, 1)
    assert sample.unread == ()


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ("panel-3,75+,south,yes\n,75+,south,yes\n", "attributes.csv:3: xid is empty"),
        ("panel-3,75+,south,yes\npanel-3,75+,south,yes\n", "attributes.csv:3: xid 'panel-3' is also on line 2"),
    ],
)
def test_faults_name_the_line(tmp_path: Path, rows: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        read_attributes(attributes(tmp_path, HEAD + rows), loaded(tmp_path), panel())
    assert said in str(caught.value)


def test_without_external_ids_nobody_can_be_joined(tmp_path: Path) -> None:
    path = attributes(tmp_path, HEAD + "panel-3,75+,south,yes\n")
    for conversation in (None, talk([[1]])):
        with pytest.raises(InputError, match="names people by xid, and no conversation says who that is"):
            read_attributes(path, loaded(tmp_path), conversation)


def test_the_names_stay_with_the_organiser(tmp_path: Path) -> None:
    """The imported folder keeps them; no export has them, nor does an analysis."""
    found = open_conversation(clojure(tmp_path / "town", xid=True))
    write_import(found, tmp_path / "imported")
    again = open_conversation(tmp_path / "imported").conversation
    assert [one.xid for one in again.participants] == [f"panel-{one.id}" for one in again.participants]
    export_conversation(again, tmp_path / "public", seed=0)
    export_conversation(again, tmp_path / "organiser", organiser=True)
    write_analysis(analyse(again), tmp_path / "analysis")
    for folder in ("public", "organiser", "analysis"):
        assert not [
            name for name, data in folder_bytes(tmp_path / folder).items() if b"panel-" in data or b"xid" in data
        ]
    open_conversation(tmp_path / "public", vote_sign=1)
