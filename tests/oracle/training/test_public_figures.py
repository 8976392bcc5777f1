"""Published 5-fold figures on two public extracts are reached with the defaults, everything nested in the folds.

Sources: CatBoost and AutoGluon on IBM's telco sample; LightGBM on churn-5000 (design, science section 10).
"""

import pytest

from tests.bench.labelled import BARS, five_fold, ibm_rows, mlc_rows


@pytest.mark.parametrize(("name", "rows"), [("ibm_telco", ibm_rows), ("mlc_churn", mlc_rows)])
def test_the_bar_is_reached(name: str, rows) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    auc_bar, loss_bar = BARS[name]
    found = five_fold(rows())
    assert found["auc"] >= auc_bar
    # anything near 0.99 would be leakage
    assert found["auc"] < 0.95
    assert loss_bar is None or found["log_loss"] <= loss_bar
    assert found["slope"] == pytest.approx(1, abs=0.15)
