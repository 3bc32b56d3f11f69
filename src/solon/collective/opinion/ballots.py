"""A participants-votes file on its own, read as the one file of an export: statements are known by their ids alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from solon.collective.conversation import VOTE_SIGN, Statement
from solon.collective.reading.assemble import assemble
from solon.collective.reading.contents import read_matrix
from solon.collective.reading.exported import Export, Layout
from solon.collective.reading.findings import Findings, Imported
from solon.collective.reading.names import PEOPLE
from solon.collective.reading.sources import Source, read_source
from solon.collective.tables import lacking
from solon.errors import InputError, Where

SIGN = f"{VOTE_SIGN}, empty not seen"


def read_ballots(path: Path, group_column: str) -> Imported:
    """The votes; the groups that a column names are the exported ones. Without ids, people are numbered by row. Raises
    `InputError` with the line, for what an export is refused for; for a file without statements or that column.
    """
    findings = Findings()
    matrix = read_matrix(path, findings, ours=False, source=_source(path, group_column))
    if not matrix.statements:
        hint = "votes stand in columns headed 0, 1, 2, ...; this may be another file of the export"
        raise InputError("no column is headed by a statement id", where=Where(path, 1), hint=hint)
    export = Export(
        layout=Layout.clojure,
        folder=path.parent,
        statements=tuple(Statement(id=one, text="") for one in sorted(matrix.statements)),
        comments_path=path,
        matrix=matrix,
        findings=findings,
    )
    found = assemble(export)
    return replace(found, conversation=replace(found.conversation, source=str(path)))


def _source(path: Path, group_column: str) -> Source:
    """The file with its columns as an export has them."""
    source = read_source(path, ours=False)
    if group_column not in source.header:
        raise lacking(path, [group_column], source.header)
    names = {"group-id": "other-groups", group_column: "group-id"}
    source = replace(source, header=tuple(names.get(one, one) for one in source.header))
    if PEOPLE[0].among(source.header):
        return source
    blocks = ((lines, [list(map(str, lines)), *cells]) for lines, cells in source.blocks)
    return replace(source, header=("participant", *source.header), blocks=blocks)
