from __future__ import annotations

from solon.config.feedback import ConstitutionSection
from solon.config.models import ModelSection
from solon.config.prompts import PromptsSection
from solon.config.sampling import SamplingOverrides, SamplingSection
from solon.config.training import LoraSection, SFTSection


def test_paths_and_devices_are_no_settings_of_a_result() -> None:
    """Also where a path may be left out; and sections inside a section have settings of their own."""
    assert set(ModelSection().result_settings()) == {"engine", "dialogue", "system"}
    assert set(ConstitutionSection().result_settings()) == {"critique", "comparison"}
    assert set(SamplingSection().result_settings()) == set(SamplingOverrides.model_fields)
    assert {"source", "helpful", "max_faults"}.isdisjoint(PromptsSection().result_settings())


def test_adapters_count_as_a_setting_of_the_result_and_how_gradients_are_computed_does_not() -> None:
    """Without adapters a stage is what it was before there were any."""
    plain = SFTSection()
    assert not {"lora", "gradient_checkpointing"} & set(plain.result_settings())
    assert SFTSection(gradient_checkpointing=True).result_settings() == plain.result_settings()
    adapters = SFTSection(lora=LoraSection(rank=8)).result_settings()
    assert adapters == plain.result_settings() | {"lora": {"rank": 8, "alpha": 32}}
