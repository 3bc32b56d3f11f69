from __future__ import annotations

import doctest

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA

from solon.collective.opinion.polis import projection as module
from solon.collective.opinion.polis.projection import (
    Ratings,
    axes,
    column_means,
    fixed_signs,
    leading_components,
    moderated_out,
    participant_places,
    project,
    ratings,
    statement_places,
)
from solon.collective.opinion.results import Projection
from talks import random_rows, talk

rows = st.integers(2, 9).flatmap(
    lambda width: st.lists(
        st.lists(st.sampled_from([-1, 0, 1, None]), min_size=width, max_size=width), min_size=2, max_size=9
    )
)


def projected(rated: Ratings) -> Projection:
    return project(rated, *axes(rated))


def test_worked_examples() -> None:
    assert doctest.testmod(module).failed == 0
    rated = Ratings(
        votes_PS=np.array([[1, 0, 0, 0]], dtype=np.int8),
        seen_PS=np.array([[True, False, False, False]]),
        column_S=np.ones(4, dtype=bool),
    )
    centre, components = np.full(4, 0.5), np.full((2, 4), 0.2)
    # 0.5 · 0.2 · √(4/1), and √4 · (1 - 0.5) · 0.2
    assert participant_places(rated, centre, components)[0].tolist() == pytest.approx([0.2, 0.2])
    assert statement_places(rated, centre, components)[0].tolist() == pytest.approx([0.2, 0.2])


def test_one_axis_explains_what_lies_on_a_line() -> None:
    components, variance = leading_components(np.array([[1.0, 1.0], [-1.0, -1.0]]))
    assert np.abs(components[0]).tolist() == pytest.approx([0.5**0.5, 0.5**0.5])
    assert components[1].tolist() == [0, 0]
    assert variance.tolist() == pytest.approx([1, 0])


@pytest.mark.parametrize("shape", [(40, 12), (12, 40)])
def test_components_are_those_of_scikit_learn_on_filled_votes(shape: tuple[int, int]) -> None:
    """Filling missing votes with the column's mean and centring is what `axes` does without filling."""
    rated = ratings(talk(random_rows(1, *shape)))
    filled = np.where(rated.seen_PS, rated.votes_PS, column_means(rated))
    reference = PCA(2, svd_solver="full").fit(filled)
    components, centre, variance = axes(rated)
    np.testing.assert_allclose(np.abs(np.sum(components * reference.components_, axis=1)), 1, atol=1e-12)
    np.testing.assert_allclose(centre, reference.mean_, atol=1e-15)
    np.testing.assert_allclose(variance, reference.explained_variance_ratio_, atol=1e-12)


def test_missing_as_a_pass_is_plain_pca_of_zeros() -> None:
    rated = ratings(talk(random_rows(2, 30, 9)))
    reference = PCA(2, svd_solver="full").fit(rated.votes_PS.astype(float))
    components, centre, _ = axes(rated, impute="pass")
    np.testing.assert_allclose(np.abs(np.sum(components * reference.components_, axis=1)), 1, atol=1e-12)
    np.testing.assert_allclose(centre, reference.mean_, atol=1e-15)


def test_lanczos_and_dense_agree(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix = np.random.default_rng(0).normal(size=(60, 50)) @ np.diag(np.linspace(5, 1, 50))
    dense, shares = leading_components(matrix)
    monkeypatch.setattr(module, "DENSE_SIDE", 10)
    lanczos, same_shares = leading_components(matrix)
    np.testing.assert_allclose(fixed_signs(lanczos), fixed_signs(dense), atol=1e-9)
    np.testing.assert_allclose(same_shares, shares, atol=1e-12)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_places_equal_a_naive_loop(table: list[list[int | None]]) -> None:
    rated = ratings(talk(table, moderated={0: -1}))
    found = projected(rated)
    n = len([column for column in range(len(table[0])) if any(row[column] is not None for row in table)])
    for person, row in enumerate(table):
        seen = [at for at in range(len(row)) if rated.seen_PS[person, at]]
        for axis in range(2):
            total = sum(
                ((0 if at == 0 else row[at]) - found.center_S[at]) * found.components_2S[axis, at]  # type: ignore[operator]
                for at in seen
            )
            expected = total * (n / max(1, len(seen))) ** 0.5
            assert found.participants_P2[person, axis] == pytest.approx(expected, abs=1e-12)
    for statement in range(len(table[0])):
        expected_2 = n**0.5 * (1 - found.center_S[statement]) * found.components_2S[:, statement]
        assert found.statements_S2[statement].tolist() == pytest.approx(expected_2.tolist(), abs=1e-12)


@given(rows)
@settings(max_examples=60, deadline=None)
def test_nothing_is_ever_nan(table: list[list[int | None]]) -> None:
    found = projected(ratings(talk(table)))
    for array in (found.components_2S, found.center_S, found.participants_P2, found.statements_S2, found.variance_2):
        assert np.isfinite(array).all()
    assert (found.variance_2 >= 0).all() and found.variance_2.sum() <= 1 + 1e-12


@given(rows)
@settings(max_examples=40, deadline=None)
def test_a_statement_without_votes_changes_nothing(table: list[list[int | None]]) -> None:
    before = projected(ratings(talk(table)))
    after = projected(ratings(talk([[None, *row] for row in table], moderated={0: -1})))
    assert after.statements_S2[0].tolist() == [0, 0]
    np.testing.assert_array_equal(after.statements_S2[1:], before.statements_S2)
    np.testing.assert_array_equal(after.participants_P2, before.participants_P2)


def test_turning_every_vote_round_mirrors_no_place() -> None:
    """Agree and disagree change sides: people stay where they are, up to the sign that the rule gives each axis."""
    table = random_rows(3, 25, 8)
    turned = [[None if vote is None else -vote for vote in row] for row in table]
    one, other = projected(ratings(talk(table))), projected(ratings(talk(turned)))
    np.testing.assert_allclose(np.abs(one.participants_P2), np.abs(other.participants_P2), atol=1e-9)
    np.testing.assert_allclose(one.center_S, -other.center_S, atol=1e-15)


def test_stored_sign_and_ours_give_the_same_places() -> None:
    """Agree as -1, with centre and components negated, and the imaginary voter who agrees with one: same places."""
    rated = ratings(talk(random_rows(4, 20, 7)))
    found = projected(rated)
    stored_centre, stored_components = -found.center_S, -found.components_2S
    as_stored = (np.sqrt(7) * (-1 - stored_centre) * stored_components).T
    np.testing.assert_allclose(found.statements_S2, as_stored, atol=1e-15)


def test_moderated_out_counts_as_seen_by_everybody() -> None:
    rows = [[1, None, 1], [-1, 1, None], [None, -1, 1]]
    conversation = talk(rows, moderated={1: -1}, meta=[2])
    assert moderated_out(conversation).tolist() == [False, True, True]
    rated = ratings(conversation)
    assert rated.votes_PS.tolist() == [[1, 0, 0], [-1, 0, 0], [0, 0, 0]]
    assert rated.seen_PS.tolist() == [[True, True, True], [True, True, True], [False, True, True]]
    assert column_means(rated).tolist() == [0, 0, 0]


def test_unmoderated_statements_stay() -> None:
    assert moderated_out(talk([[1, 1]], moderated={0: 0, 1: 1})).tolist() == [False, False]


@pytest.mark.parametrize("table", [[[1, -1, 1]], [[1], [-1], [0]], [[None, None], [1, -1]]])
def test_too_small_for_axes(table: list[list[int | None]]) -> None:
    found = projected(ratings(talk(table)))
    assert not found.participants_P2.any() and not found.statements_S2.any()


def test_signs_follow_the_rule() -> None:
    assert fixed_signs(np.array([[-0.9, 0.1], [0.5, -0.5]])).tolist() == [[0.9, -0.1], [0.5, -0.5]]
    close = np.array([[-0.5, 0.5 + 1e-13], [0.0, 0.0]])  # equal but for rounding: the smaller id decides
    assert fixed_signs(close)[0, 0] == 0.5
    assert not np.signbit(fixed_signs(close)[1]).any()


def test_equal_votes_stand_in_one_place_to_the_bit() -> None:
    table = random_rows(5, 30, 33)
    found = projected(ratings(talk([*table, table[3], table[7]])))
    assert found.participants_P2[30].tobytes() == found.participants_P2[3].tobytes()
    assert found.participants_P2[31].tobytes() == found.participants_P2[7].tobytes()
