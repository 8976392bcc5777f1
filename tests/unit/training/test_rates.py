"""Texts with many values: rates told by other customers only, drawn to the average, kept in the bundle."""

import json
from dataclasses import replace

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from churnrisk.bundle import Bundle, Feature, Provenance, matrix
from training import FitSettings
from training.fit import fitted_model
from training.folds import customer_folds
from training.rates import FEWEST_NAMED, MOST_CODES, coarser, designed, shrunken_log_odds
from training.rows import Rows
from training.screening import screened


def town_rows(n: int = 3000, n_towns: int = 60, seed: int = 1, spread: float = 1.0) -> Rows:
    """Customers of towns of very different size, some without a town, whose rates of leaving differ by ``spread``."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, n_towns + 1)
    town = rng.choice(n_towns, n, p=share / share.sum())
    effect = spread * rng.normal(size=n_towns)
    left = (rng.random(n) < 1 / (1 + np.exp(1.4 - effect[town]))).astype(float)
    names = [None if unknown else f"town {k}" for k, unknown in zip(town, rng.random(n) < 0.1, strict=True)]
    frame = pl.DataFrame({"attribute_town": names, "x": rng.normal(size=n)})
    ids = np.array([f"c{k}" for k in range(n)], dtype=object)
    return Rows(frame, left, np.ones(n), ids, np.full(n, "", dtype=object))


def design_of(rows: Rows, n_folds: int = 5):  # type: ignore[no-untyped-def]  # noqa: ANN201
    folds = customer_folds(rows.customer, rows.left, n_folds)
    return designed(rows, screened(rows, lambda _: "").features, folds), folds


def test_a_row_is_given_the_rate_of_its_text_among_the_other_folds() -> None:
    rows = town_rows()
    design, folds = design_of(rows)
    towns = rows.frame["attribute_town"].to_numpy()
    named = design.features[0].categories
    for fold in range(5):
        seen = folds != fold
        mass = np.array([(towns[seen] == name).sum() for name in named], dtype=float)
        leavers = np.array([rows.left[seen][towns[seen] == name].sum() for name in named])
        rare = seen & ~np.isin(towns, named) & (towns != None)  # noqa: E711
        rates = shrunken_log_odds(np.append(mass, rare.sum()), np.append(leavers, rows.left[rare].sum()))
        for row in np.flatnonzero(folds == fold)[:40]:
            place = named.index(towns[row]) if towns[row] in named else len(named)
            expected = np.nan if towns[row] is None else rates[place]
            assert design.encoded[row, 0] == pytest.approx(expected, abs=1e-12, nan_ok=True)


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2999), st.integers(0, 4))
def test_no_label_of_a_fold_reaches_what_that_fold_is_given_or_judged_by(row: int, held: int) -> None:
    rows = town_rows()
    design, folds = design_of(rows)
    other = replace(rows, left=rows.left.copy())
    other.left[row] = 1 - other.left[row]
    turned = designed(other, screened(rows, lambda _: "").features, folds)
    same = folds == folds[row]
    assert np.array_equal(design.encoded[same, 0], turned.encoded[same, 0], equal_nan=True)
    # with that fold held out, nobody's number knows the label
    (before,), (after,) = design.rated, turned.rated
    fold = int(folds[row])
    assert np.array_equal(before.values(folds, fold), after.values(folds, fold), equal_nan=True)
    if held != fold:
        mine = folds == folds[row]
        assert np.array_equal(
            before.values(folds, held)[mine], after.values(folds, held)[mine], equal_nan=True
        )


def test_rates_come_back_to_the_truth_and_noise_gets_the_average() -> None:
    rng = np.random.default_rng(3)
    mass = rng.integers(5, 60, 300).astype(float)
    true = 1 / (1 + np.exp(1.5 - 0.8 * rng.normal(size=300)))
    leavers = rng.binomial(mass.astype(int), true).astype(float)
    raw = leavers / mass
    found = 1 / (1 + np.exp(-shrunken_log_odds(mass, leavers)[:-1]))
    # better than the raw rates and than one rate for all, over the same rows
    error = [
        float(mass @ (rate - true) ** 2) for rate in (found, raw, np.full(300, leavers.sum() / mass.sum()))
    ]
    assert error[0] < 0.9 * error[1]
    assert error[0] < 0.3 * error[2]
    noise = rng.binomial(mass.astype(int), 0.2).astype(float)
    assert np.ptp(shrunken_log_odds(mass, noise)) < 0.35 * np.ptp(np.log((noise + 1) / (mass - noise + 1)))
    # nothing was seen, or nobody left: finite
    assert np.isfinite(shrunken_log_odds(np.zeros(3), np.zeros(3))).all()
    assert np.isfinite(shrunken_log_odds(mass, np.zeros(300))).all()


def test_missing_rare_and_new_texts_are_three_things_and_rare_ones_are_not_named() -> None:
    texts = ["often"] * 30 + ["also"] * 20 + ["once", "twice", "twice"] + [None] * 10
    feature = Feature("town", "category", categories=("often", "also"), rates=(0.5, -0.5, 0.25, 0.0))
    ids = np.arange(63).astype(object)
    rows = Rows(pl.DataFrame({"town": texts}), np.zeros(63), np.ones(63), ids, np.full(63, "", dtype=object))
    plain = screened(rows, lambda _: "").features[0]
    (coarse,) = coarser((plain,), 2)
    assert coarse.categories == ("often", "also")
    assert "once" not in json.dumps(coarse.as_dict())
    assert Feature.from_dict(json.loads(json.dumps(coarse.as_dict()))) == coarse
    asked = pl.DataFrame({"town": ["also", "twice", "never seen", None]})
    coded = matrix(asked, (coarse,))[:, 0]
    assert coded[:2].tolist() == [1.0, 2.0]
    assert np.isnan(coded[2:]).all()
    rated = replace(feature, rare=coarse.rare)
    assert Feature.from_dict(json.loads(json.dumps(rated.as_dict()))) == rated
    found = matrix(asked, (rated,))[:, 0]
    assert found[:3].tolist() == [-0.5, 0.25, 0.0]
    assert np.isnan(found[3])
    without_rare = matrix(asked, (replace(feature, rates=(0.5, -0.5, 0.0)),))[:, 0]
    assert without_rare[:3].tolist() == [-0.5, 0.0, 0.0]


def test_only_texts_with_many_values_are_rated_and_the_seldom_ones_share_a_rate() -> None:
    rows = town_rows(n=600, n_towns=200)
    feature = design_of(rows)[0].features[0]
    counted = rows.frame["attribute_town"].drop_nulls().value_counts()
    assert len(feature.categories) == int((counted["count"] >= FEWEST_NAMED).sum())
    assert len(feature.rare) == int((counted["count"] < FEWEST_NAMED).sum())
    assert len(feature.rates) == len(feature.categories) + 2
    few = town_rows(n_towns=MOST_CODES)
    assert design_of(few)[0].features[0].rates == ()
    assert design_of(few)[0].rated == ()


def test_a_model_with_rated_texts_learns_more_and_comes_back_exactly_from_its_folder(tmp_path) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    rows, fresh = town_rows(n_towns=400, n=4000), town_rows(n_towns=400, n=4000)
    model = fitted_model(rows, FitSettings(seed=1))
    assert model.features[0].rates
    bundle = model.bundle((), Provenance())
    bundle.save(tmp_path)
    again = Bundle.load(tmp_path)
    assert again.features == bundle.features
    assert again.predict(fresh.frame).equals(bundle.predict(fresh.frame))
    parts = bundle.contributions(fresh.frame)
    assert parts.shape[1] == 3
    np.testing.assert_allclose(parts.sum(axis=1), bundle.raw_score(fresh.frame), atol=1e-9)


def test_noise_with_many_values_is_not_learned_out_of_fold() -> None:
    """Target rates that leak make pure noise look good; crossed ones leave the out-of-fold AUC at a half."""
    from churnrisk.metrics import auc
    from training.trees import crossed_trees, settings_for

    found = []
    for seed in range(4):
        rows = town_rows(n_towns=1500, n=2500, seed=seed, spread=0.0)
        design, folds = design_of(rows)
        crossed = crossed_trees(
            design.encoded, rows.left, None, features=design.features, folds=folds,
            settings=settings_for(500, seed=1, threads=1), rated=design.rated,
        )  # fmt: skip
        found.append(auc(rows.left, crossed.score))
    assert float(np.mean(found)) == pytest.approx(0.5, abs=0.025)
