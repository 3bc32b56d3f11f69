"""`solon collect`: from a public's votes to a constitution."""

from __future__ import annotations

import typer

from solon.cli.main import Commands, Entry


class Collect(Commands):
    """Commands in the order of the work."""

    table = (
        Entry(
            "serve",
            ".serve:serve",
            "Serve the site: people vote and compare answers, members look at runs and talk to models.",
        ),
        Entry("import", ".collect.exchange:import_", "Import a conversation from Polis: check it, and repair it."),
        Entry("export", ".collect.exchange:export", "Export a conversation in Polis's layout."),
        Entry("consensus", ".collect.consensus:consensus", "Measure how far opinion groups agree with each statement."),
        Entry("groups", ".collect.analyse:groups", "Find opinion groups: people who vote alike."),
        Entry("analyse", ".collect.analyse:analyse", "Analyse a conversation: what unites and what divides."),
        Entry("reproduce-ccai", ".collect.reproduce_ccai:reproduce_ccai", "Reproduce the CCAI study, and correct it."),
        Entry("topics", ".collect.merges:topics", "Sort statements into topics, and propose what to merge."),
        Entry("merge", ".collect.merges:merge", "Decide, one by one, which statements say the same."),
        Entry("principles", ".collect.principles:principles", "Write a constitution that all opinion groups support."),
        Entry("clean", ".collect.clean:clean", "Remove people and statements that should not count, and say why."),
        Entry("population", ".collect.population:population", "Compare participants and population, and weight them."),
        Entry("report", ".collect.report:report", "Write one HTML file that says what a conversation found."),
        Entry("catalog", ".collect.report:catalog", "Write the texts of the report for a translator."),
    )


app = typer.Typer(cls=Collect, no_args_is_help=True, help="Public input: from votes to a constitution and a report.")
