from __future__ import annotations

import pytest

from feedback.fake_model import Fake


@pytest.fixture
def fake() -> type[Fake]:
    return Fake
