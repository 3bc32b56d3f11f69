"""Raking: margins met, impossible targets refused, small samples, trimming."""

from __future__ import annotations

import numpy as np
import pytest

from collective.people.samples import a_population, a_sample
from solon.collective.people.population import Margin
from solon.collective.people.sample import UNKNOWN, Sample
from solon.collective.people.weights import Weights, collapses, estimate, rake
from solon.errors import InputError

SEX = {"sex": {"women": 0.5, "men": 0.5}}
AGES = {"age": {"young": 0.3, "middle": 0.45, "old": 0.25}}


def weighted_shares(sample: Sample, weights_N: np.ndarray, margin: Margin) -> dict[str, float]:
    cells = next(one for one in sample.cells if one.margin == margin)
    sums = np.bincount(cells.codes_N, weights=weights_N, minlength=len(cells.names)) / weights_N.sum()
    return dict(zip(cells.names, sums.tolist(), strict=True))


def a_skewed_sample(seed: int, people: int = 300) -> Sample:
    """Two attributes that go together, and a joint quota of one with a third."""
    joint = {("sex", "town"): {"women | yes": 0.3, "women | no": 0.2, "men | yes": 0.2, "men | no": 0.3}}
    population = a_population({**SEX, **AGES, "town": {"yes": 0.5, "no": 0.5}}, joint=joint)
    draws = np.random.default_rng(seed)
    ages = draws.choice(list(AGES["age"]), size=people, p=[0.6, 0.3, 0.1])
    sexes = np.where(draws.random(people) < np.where(ages == "young", 0.8, 0.3), "women", "men")
    towns = draws.choice(["yes", "no"], size=people, p=[0.7, 0.3])
    return a_sample(population, *((1, row) for row in zip(sexes.tolist(), ages.tolist(), towns.tolist(), strict=True)))


def test_one_attribute_by_hand() -> None:
    """30 women and 10 men for one half each: weights 2/3 and 2, effective size 40² / (30·4/9 + 10·4) = 30."""
    found = rake(a_sample(a_population(SEX), (30, ("women",)), (10, ("men",))))
    assert found.weights_N[:30] == pytest.approx(2 / 3) and found.weights_N[30:] == pytest.approx(2)
    assert found.n_effective == pytest.approx(30) and found.design_effect == pytest.approx(4 / 3)
    assert found.trimmed == 0 and found.remaining_gap < 1e-9


@pytest.mark.parametrize("seed", range(5))
def test_every_margin_is_met(seed: int) -> None:
    sample = a_skewed_sample(seed)
    weights_N = rake(sample, cap=None).weights_N
    assert weights_N.mean() == pytest.approx(1) and (weights_N > 0).all()
    for margin in sample.population.margins:
        shares = weighted_shares(sample, weights_N, margin)
        assert all(abs(shares[name] - share) < 1e-6 for name, share in margin.shares.items())


def test_weights_are_those_of_a_naive_loop() -> None:
    """Raking is unique: any loop that scales margin after margin ends at the same weights."""
    sample = a_skewed_sample(9)
    naive_N = np.ones(len(sample))
    for _ in range(300):
        for cells in sample.cells:
            for code, name in enumerate(cells.names[:-1]):
                inside_N = cells.codes_N == code
                naive_N[inside_N] *= cells.margin.shares[name] * naive_N.sum() / naive_N[inside_N].sum()
    assert rake(sample, cap=None).weights_N == pytest.approx(naive_N / naive_N.mean(), rel=1e-7)


def test_margins_are_met_where_attributes_go_together_closely() -> None:
    """Two attributes nearly alike converge slowly: raking takes many rounds."""
    population = a_population({"a": {"x": 0.5, "y": 0.5}, "b": {"x": 0.52, "y": 0.48}})
    rows = ((400, ("x", "x")), (1, ("x", "y")), (1, ("y", "x")), (100, ("y", "y")))
    sample = a_sample(population, *rows)
    weights_N = rake(sample, cap=None).weights_N
    for margin in population.margins:
        shares = weighted_shares(sample, weights_N, margin)
        assert all(abs(shares[name] - share) < 1e-6 for name, share in margin.shares.items())


def test_people_of_the_same_categories_weigh_the_same_whatever_the_order() -> None:
    sample = a_skewed_sample(3)
    order = np.random.default_rng(0).permutation(len(sample))
    mixed = Sample(
        population=sample.population,
        participant_ids=sample.participant_ids,
        categories={name: tuple(values[at] for at in order) for name, values in sample.categories.items()},
    )
    assert rake(mixed).weights_N == pytest.approx(rake(sample).weights_N[order], rel=1e-9)


def test_the_unknown_keep_their_share_and_the_others_fit_the_population() -> None:
    sample = a_sample(a_population(SEX), (30, ("women",)), (10, ("men",)), (10, (UNKNOWN,)))
    found = rake(sample)
    shares = weighted_shares(sample, found.weights_N, sample.population.margins[0])
    assert shares == pytest.approx({"women": 0.4, "men": 0.4, UNKNOWN: 0.2}) and found.unknown == {"sex": 10}


def test_a_category_without_anybody_says_what_to_merge_it_with() -> None:
    sample = a_sample(a_population(AGES, ordered=["age"]), (3, ("young",)), (9, ("middle",)))
    with pytest.raises(InputError) as caught:
        rake(sample)
    text = str(caught.value)
    assert "adults.toml:1: age: nobody in 'old', so nobody can stand for it" in text
    assert 'age: merge = { "old" = "middle" }' in text


def test_all_empty_categories_are_reported_together() -> None:
    with pytest.raises(InputError) as caught:
        rake(a_sample(a_population({**SEX, **AGES}), (3, ("women", "young"))))
    assert len(caught.value.faults) == 3


def test_people_where_the_population_has_nobody_are_refused() -> None:
    joint = {("sex", "town"): {"women | yes": 0.5, "men | no": 0.5}}
    population = a_population({**SEX, "town": {"yes": 0.5, "no": 0.5}}, joint=joint)
    rows = ((5, ("women", "yes")), (5, ("men", "no")), (2, ("men", "yes")))
    with pytest.raises(InputError, match=r"sex × town: 2 in 'men \| yes', where the population has nobody"):
        rake(a_sample(population, *rows))


def test_targets_that_contradict_each_other_are_refused() -> None:
    """Every woman lives in town and every man does not: 50% women and 70% in town cannot both be."""
    population = a_population({**SEX, "town": {"yes": 0.7, "no": 0.3}})
    with pytest.raises(InputError, match=r"no weights fit all quotas: sex stays .* points off"):
        rake(a_sample(population, (50, ("women", "yes")), (50, ("men", "no"))))


def test_nobody_and_one_person() -> None:
    with pytest.raises(InputError, match="the sample is empty"):
        rake(a_sample(a_population(SEX)))
    with pytest.raises(InputError, match="nobody in 'men'"):
        rake(a_sample(a_population(SEX), (1, ("women",))))


def test_trimming_holds_the_cap_and_says_what_gap_remains() -> None:
    sample = a_sample(a_population(SEX), (95, ("women",)), (5, ("men",)))
    free, trimmed = rake(sample, cap=None), rake(sample, cap=4)
    assert free.weights_N.max() == pytest.approx(10) and free.trimmed == 0
    assert trimmed.weights_N.max() <= 4 + 1e-9 and trimmed.trimmed == 5
    assert trimmed.remaining_gap == pytest.approx(0.3, abs=1e-3)  # 5 · 4 of 100 are men instead of half
    assert trimmed.weights_N.mean() == pytest.approx(1) and trimmed.n_effective > free.n_effective


def test_a_cap_that_nobody_reaches_changes_nothing() -> None:
    sample = a_skewed_sample(1)
    assert np.array_equal(rake(sample, cap=1000).weights_N, rake(sample, cap=None).weights_N)


def test_effective_size() -> None:
    sample = a_sample(a_population(SEX), (3, ("women",)))
    one = Weights(sample=sample, weights_N=np.array([1.0, 1.0, 2.0]), trimmed=0, remaining_gap=0.0)
    assert one.n_effective == pytest.approx(16 / 6)


def test_small_categories_are_proposed_for_merging() -> None:
    rows = ((2, ("young",)), (40, ("middle",)), (30, ("old",)))
    ordered = a_sample(a_population(AGES, ordered=["age"]), *rows)
    assert collapses(ordered, below=5) == {("age", "young"): 'age: merge = { "young" = "middle" }'}
    loose = a_sample(a_population(AGES), *rows)
    assert collapses(loose, below=5) == {("age", "young"): 'age: merge = { "young" = "old" }'}
    assert collapses(a_sample(a_population(SEX), (1, ("women",)), (9, ("men",))), below=5) == {}


def test_the_documented_example() -> None:
    """55 in the north and 45 in the south for shares of 0.4 and 0.6: weights 0.727 and 1.333, 100 count as 92."""
    found = rake(a_sample(a_population({"region": {"north": 0.4, "south": 0.6}}), (55, ("north",)), (45, ("south",))))
    assert sorted(set(found.weights_N.round(3).tolist())) == [0.727, 1.333]
    assert round(found.design_effect, 3) == 1.091 and round(found.n_effective) == 92
    hits = np.concatenate([np.arange(55) < 44, np.arange(45) < 18])[:, None]
    assert hits.mean() == 0.62
    assert estimate(hits, np.ones_like(hits), found).share_S[0] == pytest.approx(0.56)
