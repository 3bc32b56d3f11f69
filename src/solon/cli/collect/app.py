"""`solon collect`: from a public's votes to a constitution."""

from __future__ import annotations

import typer

from solon.cli.collect.analyse import analyse, groups
from solon.cli.collect.clean import clean
from solon.cli.collect.consensus import consensus
from solon.cli.collect.exchange import export, import_
from solon.cli.collect.merges import merge, topics
from solon.cli.collect.population import population
from solon.cli.collect.principles import principles
from solon.cli.collect.report import catalog, report
from solon.cli.collect.reproduce_ccai import reproduce_ccai

app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Public input: from votes to a constitution and a report.",
)

app.command("import")(import_)
app.command("export")(export)
app.command("consensus")(consensus)
app.command("groups")(groups)
app.command("analyse")(analyse)
app.command("reproduce-ccai")(reproduce_ccai)
app.command("topics")(topics)
app.command("merge")(merge)
app.command("principles")(principles)
app.command("clean")(clean)
app.command("population")(population)
app.command("report")(report)
app.command("catalog")(catalog)
