"""Whatever the customer and the calibrator, effects add up to the difference in risk and keep their sign."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from churnrisk.bundle import Beta, Calibrator, Knots, Platt
from scoring import effects_pp
from tests.drawn_models import drawn_bundle

POINTS = st.lists(st.floats(-9, 9), min_size=3, max_size=3)
CALIBRATORS: st.SearchStrategy[Calibrator] = st.sampled_from(
    [Platt(0.7, 0.3), Beta(0.9, 1.2, -0.1), Knots((-3.0, -1.0, 2.0), (-4.0, -1.5, 1.0), 0.5)]
)


@given(POINTS, CALIBRATORS)
def test_effects_add_up_and_keep_their_sign(values: list[float], calibrator: Calibrator) -> None:
    names = ("tenure_days", "wait_s", "n_ties")
    bundle = replace(drawn_bundle(**dict.fromkeys(names, "profile")), calibrator=calibrator)
    frame = pl.DataFrame(
        {"customer_id": ["a"], **{name: [value] for name, value in zip(names, values, strict=True)}}
    )
    effects = effects_pp(bundle, frame)[0]
    base = bundle.risk_of_score(np.array([-2.0]))[0]
    difference = 100 * (bundle.predict(frame)["risk"][0] - base)
    assert abs(effects.sum() - difference) < 1e-4
    assert all(
        np.sign(effect) == np.sign(value) or abs(value) < 1e-12
        for effect, value in zip(effects, values, strict=True)
    )
