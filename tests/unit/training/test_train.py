"""Training from end to end on small worlds: what judges, what ships, what is refused."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.bundle import Provenance
from churnrisk.config import REGIMES_AHEAD, ChurnSettings, Config, TrainingSettings, parsed_config
from churnrisk.dates import AsOf
from churnrisk.errors import ModelUnfit
from churnrisk.store import Engine
from churnrisk.tables.lake import Attribute, LakeTables
from training import CROSS_VALIDATED, FIGURES, OUT_OF_TIME, FitSettings, TrainingResult, from_extract, train
from training.compare import Champion
from training.extract import extract_rows_of
from training.labels import Labels
from training.looks import Look
from training.ship import from_snapshots
from training.snapshots import snapshot_schedule
from training.train import _beside_learned

SETTINGS = FitSettings(seed=1, group_of=lambda name: "network" if name == "exposure" else "service")
AS_OF = AsOf(date(2026, 6, 30))


def look(position: int, n: int = 250, *, is_noise: bool = False) -> Look:
    """Customers whose waits and exposure drive leaving, at one of the snapshots of the schedule."""
    schedule = snapshot_schedule(AS_OF, ChurnSettings(), TrainingSettings(n_snapshots=3))
    rng = np.random.default_rng(position)
    wait, exposure = rng.exponential(1, n), rng.poisson(0.5, n)
    score = -3 + (0 if is_noise else 1) * (wait + exposure)
    left = (rng.random(n) < 1 / (1 + np.exp(-score))).astype(np.int8)
    if is_noise:
        left = (rng.random(n) < 0.15).astype(np.int8)
    keys = np.arange(n)
    features = pl.DataFrame(
        {"customer_key": keys, "customer_id": keys.astype(str), "wait_s": wait, "exposure": exposure}
    )
    counts = {"leaver": int(left.sum()), "stayer": int(n - left.sum()), "in_notice": 3}
    return Look(
        schedule[position], features, Labels(pl.DataFrame({"customer_key": keys, "left": left}), counts)
    )


@pytest.fixture(scope="module")
def result() -> TrainingResult:
    return from_snapshots(
        [look(position) for position in range(5)], SETTINGS, Provenance(trained_until="2026-07-01")
    )


def test_the_newest_snapshot_judges_and_the_newest_three_ship(result: TrainingResult) -> None:
    assert [(use.use, use.is_shipped) for use in result.snapshots] == [
        ("test", True), ("embargo", True), ("train", True), ("train", False), ("train", False),
    ]  # fmt: skip
    assert result.evaluation.kind == OUT_OF_TIME
    assert result.evaluation.n_rows == 250
    assert result.judged["as_of"].unique().to_list() == [result.snapshots[0].as_of]
    assert result.bundle.provenance.snapshots == tuple(use.as_of for use in result.snapshots[:3])
    assert result.snapshots[0].counts["in_notice"] == 3


def test_every_figure_is_there_with_its_meaning(result: TrainingResult) -> None:
    plain = {name for name in result.evaluation.figures if not name.endswith(("_low", "_high"))}
    assert plain == set(FIGURES)
    assert result.evaluation.figures["auc"] == pytest.approx(0.8, abs=0.1)
    assert {"reliability", "gain", "profit", "roc"} == set(result.evaluation.tables)


def test_the_figure_without_the_network_is_worse_when_the_network_matters(result: TrainingResult) -> None:
    without, auc = result.ablations["network"], result.evaluation.figures["auc"]
    assert without is not None
    assert auc is not None
    assert without < auc - 0.02


def test_a_model_that_tells_leavers_from_stayers_is_fit(result: TrainingResult) -> None:
    assert result.is_fit
    result.refuse_unfit()
    assert result.regime.startswith("logistic regression")
    rates = [band.realised_rate for band in result.bundle.bands if band.n > 20]
    assert rates == sorted(rates, key=lambda rate: rate or 0)
    assert sum(band.n for band in result.bundle.bands) == 250


def test_the_judged_model_is_kept_and_had_seen_no_outcome_of_the_test(result: TrainingResult) -> None:
    twin = result.twin
    assert twin is not None
    assert twin.provenance.snapshots == tuple(use.as_of for use in result.snapshots if use.use == "train")
    assert datetime.fromisoformat(str(twin.provenance.trained_until)) <= look(0).snapshot.as_of.instant
    again = twin.predict(look(0).features)
    assert again["risk"].to_list() == result.judged["risk"].to_list()
    assert sum(band.n for band in twin.bands) == 250


def test_noise_is_fitted_judged_and_refused_with_every_reason() -> None:
    found = from_snapshots([look(position, is_noise=True) for position in range(5)], SETTINGS, Provenance())
    assert not found.is_fit
    with pytest.raises(ModelUnfit, match="AUC") as caught:
        found.refuse_unfit()
    assert caught.value.exit_code == 13
    assert "gate_better_than_chance" in caught.value.codes


def test_a_short_history_is_cross_validated_and_says_so() -> None:
    found = from_snapshots([look(0), look(1)], SETTINGS, Provenance())
    assert found.evaluation.kind == CROSS_VALIDATED
    assert found.evaluation.n_rows == 500
    assert any("too short" in note for note in found.notes)
    assert found.twin is None


def test_without_a_snapshot_or_leavers_the_message_says_what_is_missing() -> None:
    with pytest.raises(ModelUnfit, match="more history"):
        from_snapshots([], SETTINGS, Provenance())
    quiet = look(0)
    stayed = Labels(quiet.labels.frame.with_columns(left=pl.lit(0)), quiet.labels.counts)
    with pytest.raises(ModelUnfit, match="expected_rate") as caught:
        from_snapshots([Look(quiet.snapshot, quiet.features, stayed)], SETTINGS, Provenance())
    assert caught.value.codes == ("no_leavers",)


def test_an_extract_with_a_column_that_knows_the_outcome_is_warned_about() -> None:
    drawn = look(0)
    left = drawn.labels.frame["left"].cast(pl.Boolean)
    frame = drawn.features.select("customer_id", attribute_reason=left.cast(pl.Float64)).with_columns(
        row=pl.int_range(pl.len()), churned=left
    )
    found = from_extract(extract_rows_of(frame), SETTINGS, Provenance())
    assert found.evaluation.kind == CROSS_VALIDATED
    assert any("too good to be true" in note for note in found.notes)


def drawn_lake(folder: Path, *, seed: int = 1, n: int = 300) -> LakeTables:
    """Customers without history, half of them on the plan that drives people away; leavings over 14 months."""
    rng = np.random.default_rng(seed)
    begin = datetime(2025, 5, 1)
    plan = rng.choice(["basic", "gold"], n)
    days = rng.exponential(np.where(plan == "basic", 300, 3000)).astype(int) + 1
    left = [begin + timedelta(days=int(d)) if d < 425 else None for d in days]
    dates = dict.fromkeys(
        ("joined_at", "left_at", "left_known_at", "known_at", "valid_from"), pl.Datetime("us")
    )
    customers = pl.DataFrame(
        {
            "version": range(n),
            "customer_key": range(n),
            "valid_from": [None] * n,
            "known_at": [begin] * n,
            "joined_at": [begin - timedelta(days=int(d)) for d in rng.integers(1, 900, n)],
            "left_at": left,
            "left_known_at": left,
            "left_reason": [None] * n,
            "monthly_value": rng.uniform(10, 50, n),
            "language": ["en"] * n,
            "attribute_plan": plan,
        },
        schema_overrides={**dates, "left_reason": pl.String},
    ).with_columns(
        pl.lit(value=True).alias(name)
        for name in ("may_survey", "may_contact", "may_use_calls", "may_use_answers")
    )
    keys = pl.DataFrame({"customer_key": range(n), "customer_id": [f"c{i:04}" for i in range(n)]})
    customers.write_parquet(folder / "customers.parquet")
    keys.write_parquet(folder / "keys.parquet")
    return LakeTables(
        {name: folder / f"{name}.parquet" for name in ("customers", "keys")},
        attributes=(Attribute("plan", "attribute_plan", is_constant=True),),
        fingerprints={"customers": "0" * 64},
    )


def config(text: str = "") -> Config:
    return parsed_config(text)


def test_tables_and_a_date_are_enough(tmp_path: Path) -> None:
    with Engine() as engine:
        first, again = (
            train(engine, drawn_lake(tmp_path), config("[training]\nn_snapshots = 4"), AS_OF)
            for _ in range(2)
        )
    assert first.bundle.identity == again.bundle.identity
    assert first.evaluation.figures == again.evaluation.figures
    assert first.importance["feature"][0] == "attribute_plan"
    assert first.bundle.provenance.churn["horizon_days"] == 30
    assert first.bundle.provenance.trained_until == "2026-07-01T00:00:00"
    assert first.snapshots[0].as_of == "2026-05-17"
    assert first.reference == again.reference
    assert first.reference is not None
    assert first.reference.as_of == "2026-05-17"
    assert set(first.reference.features) == {feature.name for feature in first.bundle.features}
    plan = first.reference.features["attribute_plan"]
    assert set(plan.bins.values) == {"basic", "gold"}
    assert 100 < plan.n < 300
    assert first.reference.risk is not None
    assert first.reference.risk.n == first.snapshots[0].n_rows


def test_what_becomes_known_later_changes_no_model(tmp_path: Path) -> None:
    earlier = AsOf(date(2026, 3, 31))
    tables = drawn_lake(tmp_path)
    with Engine() as engine:
        before = train(engine, tables, config(), earlier)
        unknown = pl.col("left_known_at") >= earlier.instant
        customers = pl.read_parquet(tables.paths["customers"])
        customers.with_columns(
            pl.when(unknown).then(None).otherwise(pl.col(name)).alias(name)
            for name in ("left_at", "left_known_at")
        ).write_parquet(tables.paths["customers"])
        after = train(engine, tables, config(), earlier)
    assert before.bundle.identity == after.bundle.identity
    assert before.evaluation.figures == after.evaluation.figures
    assert before.reference == after.reference


def few(position: int, n_left: int) -> Look:
    """A look of which the first ``n_left`` customers with the longest waits leave."""
    drawn = look(position)
    keys = drawn.features.sort("wait_s", descending=True)["customer_key"].head(n_left).to_list()
    left = drawn.labels.frame.with_columns(left=pl.col("customer_key").is_in(keys).cast(pl.Int8))
    return Look(drawn.snapshot, drawn.features, Labels(left, drawn.labels.counts))


@pytest.mark.parametrize("n_left", [0, 1, 5, 12])
def test_with_few_leavers_a_rule_prior_stands_in_and_says_so(n_left: int) -> None:
    settings = replace(SETTINGS, expected_rate=0.03)
    looks = [few(0, n_left), *(few(position, 0) for position in range(1, 5))]
    found = from_snapshots(looks, settings, Provenance())
    assert found.regime.startswith(f"rule prior, not learned: {n_left} leavers")
    assert found.regime.endswith(f"({REGIMES_AHEAD})")
    assert found.is_fit
    assert {gate.gate for gate in found.gates} <= {"says_what_it_is", "calibrated_in_the_large"}
    assert any("stake no money" in note for note in found.notes)
    scored = found.bundle.predict(looks[0].features, allow_extra=True)
    assert (scored["risk_high"] > 2 * scored["risk"]).all()
    assert (scored["risk_low"] < scored["risk"] / 2).all()


def test_a_rule_prior_does_not_take_the_place_of_a_champion_that_learned(result: TrainingResult) -> None:
    settings = replace(SETTINGS, expected_rate=0.03)
    found = from_snapshots([few(position, 0) for position in range(5)], settings, Provenance())
    learned, rule = Champion("3", result.bundle), Champion("4", found.bundle)
    assert not _beside_learned(found, learned).is_fit
    assert _beside_learned(found, rule).is_fit
    assert _beside_learned(result, learned) is result


def test_leavers_too_few_before_the_test_dates_are_judged_by_folds_of_what_is_shipped() -> None:
    looks = [few(0, 40), few(1, 40), *(few(position, 2) for position in (2, 3, 4))]
    found = from_snapshots(looks, SETTINGS, Provenance())
    assert found.evaluation.kind == CROSS_VALIDATED
    assert found.regime.startswith("logistic regression")


@pytest.mark.parametrize("n_left", [0, 3, 14])
def test_an_extract_with_few_leavers_gets_a_rule_prior_too(n_left: int) -> None:
    drawn = few(0, n_left)
    frame = drawn.features.select("customer_id", attribute_wait=pl.col("wait_s")).with_columns(
        row=pl.int_range(pl.len()), churned=drawn.labels.frame["left"].cast(pl.Boolean)
    )
    settings = replace(SETTINGS, expected_rate=0.05)
    found = from_extract(extract_rows_of(frame), settings, Provenance())
    assert found.is_fit
    stands_in = any("rule prior stands in" in note for note in found.notes)
    assert found.bundle.is_prior or n_left == 14
    assert stands_in == (found.bundle.is_prior and n_left == 14)
