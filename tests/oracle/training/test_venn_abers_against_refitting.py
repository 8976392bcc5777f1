"""The grid of Venn-Abers intervals against an isotonic fit made anew for every customer and both outcomes."""

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.isotonic import IsotonicRegression

from training.venn_abers import venn_abers_grid

AT = np.arange(-1, 10, 0.5)


def refitted(score: np.ndarray, left: np.ndarray, weight: np.ndarray, at: float, outcome: float) -> float:
    like = weight[left == outcome]
    added = like.mean() if like.size else 1.0
    model = IsotonicRegression()
    model.fit(np.append(score, at), np.append(left, outcome), sample_weight=np.append(weight, added))
    return float(model.predict([at])[0])


@settings(max_examples=25)
@given(st.lists(st.tuples(st.integers(0, 8), st.booleans(), st.integers(1, 3)), min_size=1, max_size=25))
def test_one_walk_gives_what_refitting_gives(rows: list[tuple[int, bool, int]]) -> None:
    score, left, weight = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    low, high = venn_abers_grid(score, left, weight).interval(AT)
    for position, at in enumerate(AT):
        np.testing.assert_allclose(low[position], refitted(score, left, weight, at, 0), atol=1e-9)
        np.testing.assert_allclose(high[position], refitted(score, left, weight, at, 1), atol=1e-9)


def test_many_scores_are_kept_as_levels_and_cover_the_truth_as_narrow_intervals() -> None:
    rng = np.random.default_rng(5)
    score = rng.normal(-2, 1, 100_000)
    risk = 1 / (1 + np.exp(-score))
    left = (rng.random(100_000) < risk).astype(float)
    grid = venn_abers_grid(score, left, np.ones(100_000))
    assert len(grid.scores) <= 2000
    low, high = grid.interval(np.linspace(-4, 0, 50))
    assert float((high - low).max()) < 0.05
    assert float(np.abs((low + high) / 2 - 1 / (1 + np.exp(-np.linspace(-4, 0, 50)))).max()) < 0.05
