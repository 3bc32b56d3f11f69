"""In which order files of tests are begun: a core that began a long one last would keep the others waiting."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
LONG = (
    "town/test_collecting.py",
    "town/test_whole.py",
    "pipeline/test_together.py",
    "pipeline/test_kill_and_resume.py",
    "web/test_accessible.py",
    "pipeline/test_cluster.py",
    "web/test_keyboard.py",
    "cli/test_run.py",
    "pipeline/test_batch_size.py",
    "test_docs.py",
    "test_contributing.py",
    "cli/test_models.py",
    "pipeline/test_precedence_decides.py",
    "pipeline/test_evaluating.py",
    "pipeline/test_plan.py",
    "cli/test_nproc.py",
)
"""Those of few tests and more than ten seconds, the longest first."""


def longest_first(items: Sequence[pytest.Item]) -> list[pytest.Item]:
    """The long files, then the others, those with most tests first. A file's tests stay together, in their order."""
    tests = Counter(item.path for item in items)
    places = {TESTS / name: place - len(LONG) for place, name in enumerate(LONG)}
    return sorted(items, key=lambda item: (places.get(item.path, 0), -tests[item.path], os.fspath(item.path)))
