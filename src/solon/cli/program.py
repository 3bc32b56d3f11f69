"""The `solon` program. The command line takes a moment to import, so signals are watched before."""

from __future__ import annotations

import sys

from solon.cli import interrupts


def run() -> None:
    """Run the command that `sys.argv` names, and leave with its exit code."""
    interrupts.watch()
    try:
        from solon.cli.main import app

        app(prog_name="solon")
    except BaseException as error:  # a signal may come as any error, or as none
        interrupts.end_at_the_next()
        if interrupts.pending():
            sys.exit(interrupts.end(error))
        if isinstance(error, SystemExit) and isinstance(error.code, int):
            interrupts.leave(error.code)
        raise


if __name__ == "__main__":
    run()
