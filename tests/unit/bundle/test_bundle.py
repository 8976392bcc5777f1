"""A bundle on disk and its predictions, with models small enough to be worked by hand."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Additive, Bundle, Effect, Feature, Trees, encoding, matrix
from churnrisk.errors import ModelUnfit
from tests.drawn_models import drawn_bundle

FRAME = pl.DataFrame(
    {
        "customer_key": [0, 1, 2],
        "customer_id": ["a", "b", "c"],
        "tenure_days": [1.0, None, 30.0],
        "wait_s": [0, 2, None],
    }
)


def planned_bundle() -> Bundle:
    """One category: gold adds -1, basic +1, unknown +0.25 to log-odds of 0."""
    effect = Effect(missing=0.25, by_code=(-1.0, 1.0))
    feature = Feature("attribute_plan", "category", "price", ("gold", "basic"))
    return replace(drawn_bundle(), features=(feature,), learner=Additive(0.0, (effect,)))


def test_a_prediction_is_worked_by_hand() -> None:
    bundle = drawn_bundle()
    # base -2 and, row by row: 1 and 0; missing 0.5 and 2; 30 clipped to 10 and missing 0.5
    assert bundle.raw_score(FRAME).tolist() == [-1.0, 0.5, 8.5]
    found = bundle.predict(FRAME)
    assert found["risk"].to_list() == pytest.approx([1 / (1 + np.exp(-z)) for z in (-1.0, 0.5, 8.5)])
    # the grid: p0 of the level below, p1 of the level above, widened to hold the risk
    assert found["risk_low"].to_list() == pytest.approx([0.05, 0.05, 0.8])
    assert found["risk_high"].to_list() == pytest.approx([0.95, 0.95, 1.0])


def test_contributions_name_what_each_feature_adds() -> None:
    found = drawn_bundle().contributions(FRAME)
    assert found.tolist() == [[1.0, 0.0, -2.0], [0.5, 2.0, -2.0], [10.0, 0.5, -2.0]]


def test_a_category_training_did_not_see_counts_as_missing() -> None:
    frame = pl.DataFrame({"attribute_plan": ["gold", "basic", None, "platinum"]})
    assert planned_bundle().raw_score(frame).tolist() == [-1.0, 1.0, 0.25, 0.25]


def test_an_effect_by_bands_of_a_number_counts_how_many_limits_are_reached_and_survives_the_disk(
    tmp_path: Path,
) -> None:
    effect = Effect(missing=0.25, by_code=(-1.0, 0.0, 1.0), limits=(6.5, 8.5))
    feature = Feature("nps_last_score", "number", "satisfaction")
    made = replace(drawn_bundle(), features=(feature,), learner=Additive(0.0, (effect,)))
    made.save(tmp_path)
    frame = pl.DataFrame({"nps_last_score": [6.0, 6.5, 8.0, 10.0, None]})
    assert Bundle.load(tmp_path).raw_score(frame).tolist() == [-1.0, 0.0, 0.0, 1.0, 0.25]


@pytest.mark.parametrize("dtype", [pl.Categorical, pl.Enum(["basic", "gold"])])
def test_categorical_columns_are_read_as_their_text_and_never_reach_the_learner(dtype: pl.DataType) -> None:
    frame = pl.DataFrame({"attribute_plan": ["gold", "basic"]}, schema={"attribute_plan": dtype})
    assert planned_bundle().raw_score(frame).tolist() == [-1.0, 1.0]


def test_no_customer_is_no_row() -> None:
    assert drawn_bundle().predict(FRAME.head(0)).shape == (0, 3)
    assert drawn_bundle().contributions(FRAME.head(0)).shape == (0, 3)


def test_every_column_that_is_not_as_taught_is_named_at_once() -> None:
    frame = FRAME.drop("wait_s").with_columns(
        tenure_days=pl.lit("long"), n_new=pl.lit(1), n_newer=pl.lit(1), wait_note=pl.lit(None)
    )
    with pytest.raises(ModelUnfit) as caught:
        drawn_bundle().predict(frame)
    assert caught.value.exit_code == 13
    assert caught.value.codes == ("feature_missing", "feature_extra", "feature_retyped")
    for name in ("wait_s", "n_new", "n_newer", "tenure_days"):
        assert name in str(caught.value)


def test_extra_columns_are_read_over_when_allowed_and_dropped_ones_always() -> None:
    extra = FRAME.with_columns(colour=pl.lit("red"))
    expected = drawn_bundle().predict(FRAME)
    assert drawn_bundle().predict(extra, allow_extra=True).equals(expected)
    assert replace(drawn_bundle(), ignored=("colour",)).predict(extra).equals(expected)


def test_a_table_laid_out_in_pieces_is_the_table_laid_out_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = np.random.default_rng(3).normal(size=(23, 2))
    frame = pl.DataFrame(
        {"first": drawn[:, 0], "plan": [None, "gold", "basic", "new"] * 5 + ["gold"] * 3, "last": drawn[:, 1]}
    ).with_columns(last=pl.when(pl.col("first") > 0).then("last"), whole=pl.int_range(pl.len()))
    features = (
        Feature("first", "number"),
        Feature("plan", "category", categories=("gold", "basic")),
        Feature("last", "number"),
        Feature("whole", "number"),
    )
    code = {"gold": 0.0, "basic": 1.0}
    expected = [
        [first, code.get(plan or "", np.nan), np.nan if last is None else last, float(whole)]
        for first, plan, last, whole in frame.rows()
    ]
    at_once = matrix(frame, features)
    np.testing.assert_array_equal(at_once, expected)
    monkeypatch.setattr(encoding, "ROWS_AT_ONCE", 5)
    in_pieces = matrix(pl.concat([frame.head(7), frame.tail(16)], rechunk=False), features)
    assert in_pieces.tobytes() == at_once.tobytes()
    assert in_pieces.flags.c_contiguous


def test_an_infinite_number_far_down_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding, "ROWS_AT_ONCE", 2)
    frame = pl.DataFrame({"first": [0.0] * 6, "last": [0.0] * 5 + [float("-inf")]})
    with pytest.raises(ModelUnfit, match="feature last"):
        matrix(frame, (Feature("first", "number"), Feature("last", "number")))


def test_a_table_of_texts_alone_keeps_its_rows() -> None:
    feature = Feature("plan", "category", categories=("gold",))
    assert matrix(pl.DataFrame({"plan": ["gold", None]}), (feature,)).shape == (2, 1)
    assert matrix(pl.DataFrame({"plan": ["gold", None]}), ()).shape == (2, 0)


def test_an_infinite_number_is_refused_and_its_feature_named() -> None:
    with pytest.raises(ModelUnfit, match="wait_s") as caught:
        drawn_bundle().predict(FRAME.with_columns(wait_s=pl.lit(float("inf"))))
    assert caught.value.codes == ("feature_infinite",)


def test_a_nan_and_an_empty_column_count_as_missing() -> None:
    frame = FRAME.with_columns(tenure_days=pl.lit(float("nan")), wait_s=pl.lit(None))
    assert drawn_bundle().raw_score(frame).tolist() == [-1.0, -1.0, -1.0]


def test_bands_begin_where_they_say() -> None:
    assert drawn_bundle().band([0.0, 0.0999, 0.1, 0.3, 0.6, 1.0]).to_list() == [
        "low", "low", "watch", "high", "critical", "critical",
    ]  # fmt: skip


def test_a_bundle_comes_back_as_it_was_and_is_saved_to_the_same_bytes(tmp_path: Path) -> None:
    bundle = drawn_bundle()
    bundle.save(tmp_path / "one")
    again = Bundle.load(tmp_path / "one")
    again.save(tmp_path / "two")
    for name in ("bundle.json", "model.txt"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert again.predict(FRAME).equals(bundle.predict(FRAME))
    assert again.identity == bundle.identity


def test_the_version_is_no_part_of_the_identity() -> None:
    bundle = drawn_bundle()
    assert bundle.with_version("8").identity == bundle.identity
    assert replace(bundle, base_rate=0.13).identity != bundle.identity


def test_no_folder_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelUnfit, match="churnrisk train") as caught:
        Bundle.load(tmp_path)
    assert caught.value.codes == ("model_missing",)


def damaged_learner(folder: Path) -> None:
    (folder / "model.txt").write_text("tree")


def cut_description(folder: Path) -> None:
    text = (folder / "bundle.json").read_text()
    (folder / "bundle.json").write_text(text[: len(text) // 2])


def later_format(folder: Path) -> None:
    plain = json.loads((folder / "bundle.json").read_text())
    (folder / "bundle.json").write_text(json.dumps({**plain, "format_version": 99}))


@pytest.mark.parametrize("damage", [damaged_learner, cut_description, later_format])
def test_a_broken_bundle_is_refused(tmp_path: Path, damage) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    drawn_bundle().save(tmp_path)
    damage(tmp_path)
    with pytest.raises(ModelUnfit) as caught:
        Bundle.load(tmp_path)
    assert caught.value.codes == ("model_broken",)


def test_there_is_no_pickle_in_a_bundle(tmp_path: Path) -> None:
    drawn_bundle().save(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["bundle.json", "model.txt"]
    for path in tmp_path.iterdir():
        path.read_text(encoding="utf-8")
    assert Trees.kind != Additive.kind
