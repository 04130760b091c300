"""Columns as bytes, and cells: nothing is lost, and little is written."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from layerloom.storage.series.cells import Points
from layerloom.storage.series.columns import pack, unpack
from layerloom.storage.series.layout import FAN, cover, rewritten, row_of, rows

LENGTHS = st.integers(1, 70)
SPECIAL = [0.0, -0.0, np.inf, -np.inf, np.nan, 1e-320, 3.5e38, 0.1]


@given(length=LENGTHS, data=st.data(), squeeze=st.booleans())
def test_columns_come_back_bit_for_bit(length: int, data: st.DataObject, squeeze: bool) -> None:
    whole = npst.arrays(np.int64, length, elements=st.integers(0, 2**63 - 1) | st.integers(0, 300))
    real = npst.arrays(
        np.float64, length, elements=st.floats() | st.floats(width=32) | st.sampled_from(SPECIAL), fill=st.nothing()
    )
    columns = [data.draw(whole), data.draw(real), np.arange(length) * 3 + 7, data.draw(real)]
    found = unpack(pack(columns, squeeze=squeeze))
    assert len(found) == len(columns)
    for one, other in zip(columns, found, strict=True):
        assert one.dtype == other.dtype
        assert np.array_equal(one, other, equal_nan=one.dtype == np.float64)
        if one.dtype == np.float64:
            numbers = ~np.isnan(one)
            assert np.array_equal(np.signbit(one[numbers]), np.signbit(other[numbers]))


def test_what_follows_a_rule_costs_nothing() -> None:
    steps = np.arange(1, 4_097)
    frame = pack([steps, steps / 938, np.full(4_096, 5), np.full(4_096, 0.1)], squeeze=True)
    assert len(frame) < 250
    rates = 0.003 * (1 - steps / 9_000)
    frame = pack([steps, rates], squeeze=True)
    assert unpack(frame)[1].tobytes() == rates.tobytes()
    assert len(frame) < 4_096
    values = np.random.default_rng(0).normal(size=4_096).astype(np.float32).astype(np.float64)
    assert len(pack([steps, values], squeeze=False)) < 4 * 4_096 + 40


@given(steps=st.lists(st.integers(0, 10**6), min_size=1, unique=True).map(sorted), divisor=st.integers(1, 2_000))
def test_epochs_are_steps_divided(steps: list[int], divisor: int) -> None:
    whole = np.array(steps)
    for column in (whole / divisor, whole / divisor + 1e-9):
        assert np.array_equal(unpack(pack([whole, column], squeeze=False))[1], column)


@pytest.mark.parametrize("values", [[1e308] * 40, [-1e308, 1e308] * 20, [np.inf, 1.0, np.nan], [np.nan, -np.inf]])
def test_means_of_what_no_float_can_add_up(values: list[float]) -> None:
    count = len(values)
    whole = np.arange(count)
    cells = Points(whole, whole * 0.5, whole, whole, np.array(values)).cells()
    folded = cells.fold(np.array([0]), np.ones(count, np.int64))
    finite = np.array(values)[np.isfinite(values)]
    assert folded.broken.tolist() == [count - len(finite)]
    expected = [finite.min(), finite.max(), (finite / len(finite)).sum()] if len(finite) else [np.nan] * 3
    found = [folded.lows[0], folded.highs[0], folded.means[0]]
    assert found == pytest.approx(expected, rel=1e-12, nan_ok=True)
    assert np.isnan(found[0]) or found[0] <= found[2] <= found[1]


@given(start=st.integers(0, 10**7), length=st.integers(1, 10**7), buckets=st.integers(1, 3_000))
def test_few_cells_cover_any_range_without_a_gap(start: int, length: int, buckets: int) -> None:
    spans, at = cover(start, start + length, buckets), start
    for level, first, stop in spans:
        assert first * FAN**level == at
        at = stop * FAN**level
    assert at == start + length
    cells = sum(stop - first for _, first, stop in spans)
    assert min(length, buckets) <= cells <= FAN * (buckets + 2 * len(spans))


@given(level=st.integers(0, 3), before=st.integers(0, 20_000), more=st.integers(1, 9_000), data=st.data())
def test_rows_depend_on_the_number_of_cells_alone(level: int, before: int, more: int, data: st.DataObject) -> None:
    old, new = list(rows(level, 0, before)), list(rows(level, 0, before + more))
    start = rewritten(level, before, before + more)
    assert [row for row in old if row[0] < start] + list(rows(level, start, before + more)) == new
    cell = data.draw(st.integers(0, before + more - 1))
    [holder] = [row for row in new if row[0] <= cell < row[1]]
    assert row_of(level, cell, before + more) == holder[0]
    shorter = row_of(level, cell, before + more)
    assert [row for row in new if row[0] < shorter] + list(rows(level, shorter, cell)) == list(rows(level, 0, cell))
