"""Who reads answers, a file each. Every run is graded by those listed here, and by the oracle in its world."""

from __future__ import annotations

from solon.evals.grader import Grader
from solon.evals.graders.text import Text

GRADERS: tuple[Grader, ...] = (Text(),)
"""Those that can read any answer."""
