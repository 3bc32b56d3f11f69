"""The frame of a claim's script: its options, what it prints, where it records, how it ends.

def measure(options: Options) -> Iterator[Result]: ...

if __name__ == "__main__":
    raise SystemExit(run(__doc__, measure))
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from measuring.machine import processor, versions
from measuring.result import RESULTS, Bound, Result, append_results

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / ".models/smollm2"
"""Where `make real` puts SmolLM2-135M-Instruct."""


class Skip(Exception):
    """This machine cannot measure the claim; the text says what it lacks."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What every script is told."""

    quick: bool
    """Toy size, in seconds: shows that the script works; nothing is recorded."""
    repetitions: int
    """Turns of which the median counts."""
    rows: int | None
    """Prompts, pairs or whatever the claim has many of; None: as many as the claim says."""
    model: Path
    peers: tuple[str, ...] = ()
    """Words in the names of the engines to compare with; none: all of them."""
    runs: tuple[Path, ...] = ()
    """Finished runs whose data a claim on training takes, in the place of small runs of its own."""

    def smollm2(self) -> Path:
        """The folder of the real model."""
        if not self.model.is_dir():
            raise Skip(f"no model at {self.model} (`make real` brings it; or --model FOLDER)")
        return self.model

    def size(self, full: int, toy: int) -> int:
        """Rows at full size, or what was asked for."""
        return self.rows or (toy if self.quick else full)


Measure = Callable[[Options], Iterable[Result]]


def result(
    claim: str,
    *,
    setting: str,
    peer: str,
    peer_figure: float,
    solon_figure: float,
    unit: str,
    asked: Bound | None = None,
    packages: tuple[str, ...] = (),
) -> Result:
    """A result of today on this machine. `packages`: further ones that decided."""
    return Result(
        claim=claim,
        setting=setting,
        peer=peer,
        peer_figure=float(f"{peer_figure:.4g}"),
        solon_figure=float(f"{solon_figure:.4g}"),
        unit=unit,
        ratio=float(f"{solon_figure / peer_figure:.3g}"),
        asked=asked,
        date=dt.date.today(),
        processor=processor(),
        versions=versions(*packages),
    )


def run(doc: str | None, measure: Measure) -> int:
    """Measures, prints each result, and appends them to the file of results. 1 if a promise is broken."""
    options, path = _options(doc or "")
    print(f"on {processor()}", flush=True)
    kept = True
    try:
        for found in measure(options):
            if options.quick:  # a toy keeps no promises
                found = found.model_copy(update={"asked": None})
            else:
                append_results([found], path)
            kept = kept and found.kept
            print(line(found), flush=True)
    except Skip as lacking:
        print(f"skipped: {lacking}")
    return int(not kept)


def line(found: Result) -> str:
    """One result in words."""
    ours, theirs = f"{found.solon_figure:,.4g}", f"{found.peer_figure:,.4g}"
    asked = f" (asked: {found.asked}{'' if found.kept else ', BROKEN'})" if found.asked else ""
    return f"{found.claim}: solon {ours} {found.unit}, {found.peer} {theirs}: ratio {found.ratio:g}{asked}"


def _options(doc: str) -> tuple[Options, Path]:
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="toy size, in seconds; records nothing")
    parser.add_argument("--repetitions", type=int, help="turns of which the median counts (default 3; 1 if quick)")
    parser.add_argument("--rows", type=int, help="so many prompts, pairs or rows instead of the claim's own number")
    parser.add_argument("--model", type=Path, default=MODEL, help=f"folder of SmolLM2-135M-Instruct (default {MODEL})")
    parser.add_argument(
        "--peer", action="append", default=[], help="beside engines of this name alone, e.g. vLLM; again"
    )
    parser.add_argument(
        "--run", type=Path, action="append", default=[], help="take data from this finished run; once for each model"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file to append to")
    given = parser.parse_args()
    repetitions = given.repetitions or (1 if given.quick else 3)
    options = Options(
        quick=given.quick,
        repetitions=repetitions,
        rows=given.rows,
        model=given.model,
        peers=tuple(given.peer),
        runs=tuple(given.run),
    )
    return options, given.results
