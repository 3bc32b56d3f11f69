"""`solon collect consensus`: how far groups agree, statement by statement."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from typer import Argument, Option

from solon.cli.collect import options
from solon.cli.collect.options import say
from solon.collective.conversation import VOTE_SIGN, Conversation
from solon.collective.csv_text import shown
from solon.collective.opinion.consensus import DRAWS, consensus_of, in_every_group
from solon.collective.opinion.files import write_consensus
from solon.collective.opinion.given_groups import exported_groups, given_groups, number_of_groups
from solon.collective.opinion.results import Groups
from solon.collective.opinion.stability import opinion_of
from solon.collective.output import require_free
from solon.collective.phrases import many
from solon.collective.reading.folder import open_conversation, read_ballots, read_by
from solon.errors import InputError


def consensus(
    votes: Annotated[
        Path, Argument(metavar="DIR|PARTICIPANTS-VOTES.csv", help="A conversation, or one file of votes and groups.")
    ],
    output: options.OutTable,
    groups: options.Groups = "found",
    group_column: Annotated[
        str | None, Option(metavar="NAME", help="Of a file: the column that names groups. Default: group-id.")
    ] = None,
    no_smoothing: options.NoSmoothing = False,
    intervals: Annotated[
        bool, Option("--intervals", help="Add vote counts, 95% intervals and the geometric mean.")
    ] = False,
    minimum_votes: Annotated[
        int, Option(min=0, help="With --intervals, flag statements with fewer votes than this in a group.")
    ] = 10,
    seed: options.Seed = 0,
    force: options.Force = False,
) -> None:
    """Measure how far opinion groups agree with each statement.

    A vote is 1 agree, -1 disagree, 0 pass; an empty cell is a statement not seen, which counts nowhere.
    The command leaves out participants without a group, and says how many they are.

    \b
      [bold]solon collect consensus export/ -o consensus.csv[/bold]
      [bold]solon collect consensus export/ --groups exported -o consensus.csv[/bold]
      [bold]solon collect consensus participants-votes.csv --group-column group-id -o consensus.csv[/bold]
      [bold]solon collect consensus participants-votes.csv --no-smoothing --intervals -o consensus.csv[/bold]
    """
    require_free(output, force=force, reads=[*read_by(votes), Path(groups)])
    talk, found = _opened(votes, groups, group_column)
    draws = DRAWS if intervals else 0
    measured = consensus_of(talk, found, smoothing=not no_smoothing, minimum=minimum_votes, draws=draws, seed=seed)
    write_consensus(output, measured, intervals=intervals)
    named = ", ".join(shown(name, 30) for name in found.names[:10]) + (", ..." if found.k > 10 else "")
    typer.echo(f"{votes}: votes read as {VOTE_SIGN}, empty not seen; groups {named}", err=True)
    say(found.notes, err=True)
    if left_out := len(talk.participants) - len(found.participant_ids):
        everybody = f"{len(talk.participants)} participants"
        typer.echo(f"{votes}: {left_out} of {everybody} have no group and are left out", err=True)
    if votes.is_dir():  # a file alone does not say what moderators rejected
        say((number_of_groups(talk, found), *in_every_group(talk, found).lines))
    typer.echo(f"{output}: {many(len(talk.statements), 'statement')}, {many(found.k, 'group')}")


def _opened(votes: Path, groups: str, group_column: str | None) -> tuple[Conversation, Groups]:
    """The conversation in a folder with found or given groups, or what one file says."""
    if not votes.is_dir():
        if groups != "found":
            raise InputError("--groups is for the folder of a conversation", hint="name a column with --group-column")
        alone = read_ballots(votes, group_column or "group-id")
        say((str(one) for one in alone.findings if one.severity == "repair"), err=True)
        return alone.conversation, exported_groups(alone.conversation)
    if group_column is not None:
        hint = "leave it out, or name groups with --groups FILE or --groups exported"
        raise InputError("--group-column is for one file of votes, not for a folder", hint=hint)
    talk = open_conversation(votes).conversation
    return talk, given_groups(groups, talk) or opinion_of(talk).groups
