from __future__ import annotations

from solon.config.feedback import ConstitutionSection
from solon.config.models import ModelSection
from solon.config.prompts import PromptsSection
from solon.config.sampling import SamplingOverrides, SamplingSection


def test_paths_and_devices_are_no_settings_of_a_result() -> None:
    """Also where a path may be left out; and sections inside a section have settings of their own."""
    assert set(ModelSection().result_settings()) == {"engine", "dialogue", "system"}
    assert set(ConstitutionSection().result_settings()) == {"critique", "comparison"}
    assert set(SamplingSection().result_settings()) == set(SamplingOverrides.model_fields)
    assert {"source", "helpful", "max_faults"}.isdisjoint(PromptsSection().result_settings())
