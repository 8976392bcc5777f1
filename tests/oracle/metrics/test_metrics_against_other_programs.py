"""Our figures are those of scikit-learn and empulse."""

import numpy as np
import pytest
import sklearn.metrics as sk
from empulse.metrics import empc_score, mpc_score
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from churnrisk import metrics

judged = st.lists(
    st.tuples(st.booleans(), st.integers(1, 9), st.integers(1, 5)), min_size=2, max_size=60
).filter(lambda rows: len({left for left, _, _ in rows}) == 2)


@given(judged)
def test_ranking_and_probability_are_scikit_learns(rows: list[tuple[bool, int, int]]) -> None:
    left, score, weight = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    risk = score / 10
    assert metrics.auc(left, risk, weight) == pytest.approx(
        sk.roc_auc_score(left, risk, sample_weight=weight)
    )
    assert metrics.pr_auc(left, risk, weight) == pytest.approx(
        sk.average_precision_score(left, risk, sample_weight=weight)
    )
    assert metrics.log_loss(left, risk, weight) == pytest.approx(
        sk.log_loss(left, risk, sample_weight=weight)
    )
    assert metrics.brier(left, risk, weight) == pytest.approx(
        sk.brier_score_loss(left, risk, sample_weight=weight)
    )


@given(judged)
def test_profit_is_empulses(rows: list[tuple[bool, int, int]]) -> None:
    left, score, _ = (np.array(part, dtype=float) for part in zip(*rows, strict=True))
    assert metrics.empc(left, score).profit == pytest.approx(empc_score(left, score), abs=1e-9)
    # empulse's maximum leaves out contacting nobody
    assert metrics.mpc(left, score).profit == pytest.approx(max(0.0, mpc_score(left, score)), abs=1e-9)


def test_wilsons_interval_is_scipys() -> None:
    for k, n in ((0, 10), (3, 40), (40, 40)):
        low, high = metrics.wilson(k / n, n)
        expected = binomtest(k, n).proportion_ci(method="wilson")
        assert (float(low), float(high)) == pytest.approx((expected.low, expected.high), abs=1e-12)
