"""One of several processes in torchrun's environment that do stages of runs together: `together.py [FOLDER STAGE]...`.

The runs exist; the first process carries them on, the others follow it.
"""

from __future__ import annotations

import sys
from pathlib import Path

import solon  # noqa: F401  # sets how threads wait, before torch is imported
from solon.artifacts.run_folder import RunFolder
from solon.pipeline.run import run_pipeline
from solon.pipeline.torchrun import follow
from solon.progress import Reporter
from solon.train.parallel import launched


def main(arguments: list[str]) -> None:
    for folder, stage in zip(arguments[::2], arguments[1::2], strict=True):
        if launched()[0] > 0:
            follow()
            continue
        with RunFolder.resume(Path(folder)) as run:
            run_pipeline(run, Reporter(sys.stderr), until=stage)


if __name__ == "__main__":
    main(sys.argv[1:])
