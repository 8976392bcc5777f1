"""Training rows: types over snapshots, folds by customer."""

import numpy as np
import polars as pl

from training.extract import extract_rows_of
from training.folds import customer_folds
from training.rows import rows_of


def test_snapshots_are_laid_under_one_another_with_one_type_per_column() -> None:
    early = pl.DataFrame({"customer_key": [0, 1], "customer_id": ["a", "b"], "x": [1, 2], "code": [1.0, 2.0]})
    late = pl.DataFrame(
        {
            "customer_key": [0, 2],
            "customer_id": ["a", "c"],
            "x": [0.5, None],
            "code": ["2", "new"],
            "y": [1, 1],
        }
    )
    labels = pl.DataFrame({"customer_key": [0, 1], "left": [0, 1]})
    rows = rows_of([("2026-01-31", early, labels), ("2026-02-28", late, labels)])
    # c has no label at the later date and falls out
    assert rows.frame.rows() == [(1.0, "1", None), (2.0, "2", None), (0.5, "2", 1.0)]
    assert rows.left.tolist() == [0, 1, 0]
    assert rows.customer.tolist() == ["a", "b", "a"]
    assert rows.snapshot.tolist() == ["2026-01-31", "2026-01-31", "2026-02-28"]
    assert rows.n_leavers == 1


def test_folds_keep_a_customer_together_and_share_leavers_out_evenly() -> None:
    rng = np.random.default_rng(1)
    customer = rng.integers(0, 300, 1000).astype(str).astype(object)
    left = np.isin(customer.astype(int), np.arange(60)).astype(float)
    folds = customer_folds(customer, left, 5)
    for name in np.unique(customer.astype(str)):
        assert len(set(folds[customer == name].tolist())) == 1
    leavers = [len(set(customer[(folds == k) & (left > 0)].tolist())) for k in range(5)]
    assert max(leavers) - min(leavers) <= 1
    order = rng.permutation(1000)
    assert (customer_folds(customer[order], left[order], 5) == folds[order]).all()
    assert (customer_folds(customer, left, 5, salt="other") != folds).any()


def test_an_extract_names_rows_without_an_id_and_weighs_back_to_the_true_rate() -> None:
    frame = pl.DataFrame(
        {
            "row": [0, 1, 2, 3],
            "customer_id": ["a", None, None, "b"],
            "churned": [True, True, False, False],
            "attribute_x": [1.0, 2.0, 3.0, 4.0],
        }
    )
    rows = extract_rows_of(frame, true_base_rate=0.1)
    assert rows.customer.tolist() == ["a", "row 1", "row 2", "b"]
    assert rows.frame.columns == ["attribute_x"]
    np.testing.assert_allclose(rows.base_rate, 0.1)
    np.testing.assert_allclose(rows.weight, [0.2, 0.2, 1.8, 1.8])
    assert not extract_rows_of(frame).is_weighted


def test_the_kind_of_a_leaver_stays_text_and_is_unknown_where_a_look_has_none() -> None:
    features = pl.DataFrame({"customer_key": [0, 1], "customer_id": ["a", "b"], "x": [1, 2]})
    labels = pl.DataFrame({"customer_key": [0, 1], "left": [1, 0], "kind": ["asked", None]})
    found = rows_of([("2026-04-01", features, labels), ("2026-05-01", features, labels.drop("kind"))])
    assert found.kind is not None
    assert found.kind.tolist() == ["asked", None, None, None]
    assert found.frame.columns == ["x"]
