"""Three probabilities from two models: they share out one customer, whatever the models say."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from churnrisk.bundle import NPS_CATEGORIES, Additive, Bundle, NpsModel, Platt, VennAbersGrid
from tests.drawn_models import drawn_bundle

finite = st.floats(-40, 40)


@st.composite
def bundles(draw: st.DrawFn) -> Bundle:
    """A model that may be as sure as it likes, with an interval that may lie anywhere."""
    drawn = drawn_bundle(wait_s="service")
    ends = np.sort(draw(arrays(np.float64, 4, elements=st.floats(0, 1))))
    return replace(
        drawn,
        learner=Additive(draw(finite), drawn.learner.effects),  # type: ignore[attr-defined]
        calibrator=Platt(draw(st.floats(0.01, 5)), draw(finite)),
        intervals=VennAbersGrid(np.array([-1.0, 1.0]), ends[[0, 1]], ends[[2, 3]]),
    )


@given(bundles(), bundles(), st.lists(st.none() | st.floats(-1e6, 1e6), min_size=1, max_size=20))
def test_probabilities_share_out_one_and_intervals_contain_them(
    detractor: Bundle, promoter: Bundle, waits: list[float | None]
) -> None:
    frame = pl.DataFrame({"wait_s": pl.Series(waits, dtype=pl.Float64)})
    found = NpsModel(detractor, promoter).predict(frame)
    shares = found.select(NPS_CATEGORIES).to_numpy()
    assert ((shares >= 0) & (shares <= 1)).all()
    np.testing.assert_allclose(shares.sum(axis=1), 1.0, atol=1e-12)
    for name in ("detractor", "promoter"):
        low, value, high = (found[f"{name}{end}"].to_numpy() for end in ("_low", "", "_high"))
        assert ((low <= value) & (value <= high) & (low >= 0) & (high <= 1)).all()
    likeliest = shares[np.arange(len(shares)), [NPS_CATEGORIES.index(each) for each in found["category"]]]
    assert (likeliest == shares.max(axis=1)).all()


@given(bundles(), bundles(), st.floats(-3, 3))
def test_the_second_model_shares_out_what_the_first_leaves(
    detractor: Bundle, promoter: Bundle, wait: float
) -> None:
    frame = pl.DataFrame({"wait_s": [wait]})
    one, other = (bundle.predict(frame)["risk"][0] for bundle in (detractor, promoter))
    found = NpsModel(detractor, promoter).predict(frame).row(0, named=True)
    assert found["detractor"] == one
    np.testing.assert_allclose(found["promoter"], (1 - one) * other)
    np.testing.assert_allclose(found["passive"], (1 - one) * (1 - other))
