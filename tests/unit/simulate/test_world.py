from __future__ import annotations

import hashlib
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from churnrisk.errors import UsageError
from churnrisk.simulate import World, WorldSettings, calls, simulate
from churnrisk.simulate.settings import DEFAULT_FORMATS

TINY = WorldSettings(customers=120, days=70, seed=3, calls_per_day=0.5)

COLUMNS = {
    "customers": "customer_id valid_from name phone owner joined_on left_on left_known_at left_reason monthly_value "
    "plan contract region age_band device language may_survey may_contact may_use_calls may_use_answers",
    "calls": "caller_id callee_id started_at duration_s kind",
    "usage": "customer_id period_start revenue minutes data_mb days_late",
    "interactions": "interaction_id customer_id at channel topic wait_s transfers repeated resolved abandoned",
    "surveys": "invitation_id customer_id metric occasion invited_at answered_at score comment channel language sender "
    "incentive",
    "events": "customer_id at event value",
    "offers": "offer_id name kind contact_cost incentive_cost capacity eligible channel suits",
}
IDS = {"customer_id": pl.String, "interaction_id": pl.String, "invitation_id": pl.String}


def read(world: World, table: str) -> pl.DataFrame:
    path = world.paths[table]
    if path.suffix == ".csv":
        return pl.read_csv(path, schema_overrides=IDS, try_parse_dates=True, infer_schema_length=None)
    return pl.read_parquet(path).with_columns(pl.col("^started_at$").dt.replace_time_zone(None))


def fates(world: World) -> pl.DataFrame:
    """Return one row per customer: joined_on and left_on with what nobody knew yet."""
    return pl.read_parquet(world.truth_paths["people"]).select("customer_id", "joined_on", "left_on")


def digests(root: Path) -> dict[str, str]:
    return {
        str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


@pytest.mark.parametrize("table", COLUMNS)
def test_each_table_has_the_columns_of_the_interface_and_the_rows_reported(world: World, table: str) -> None:
    frame = read(world, table)
    assert frame.columns == COLUMNS[table].split()
    assert frame.height == world.rows[table] > 0


def test_ids_are_text_with_leading_zeros(world: World) -> None:
    ids = read(world, "customers")["customer_id"]
    assert ids.str.len_chars().unique().to_list() == [6]
    assert ids.str.starts_with("0").all()


def test_a_customer_has_one_row_per_change_from_joining_on(world: World) -> None:
    customers = read(world, "customers")
    assert customers.select("customer_id", "valid_from").is_duplicated().sum() == 0
    first = customers.group_by("customer_id").agg(pl.col("valid_from").min(), pl.col("joined_on").first())
    assert (first["valid_from"] == first["joined_on"]).all()
    assert customers.height > first.height
    changed = customers.sort("customer_id", "valid_from").with_columns(
        same=(pl.col("plan") == pl.col("plan").shift().over("customer_id"))
        & (pl.col("monthly_value") == pl.col("monthly_value").shift().over("customer_id"))
    )
    assert changed["same"].sum() < 0.01 * customers.height
    assert (customers["monthly_value"] > 0).all()


def test_names_and_regions_come_in_several_scripts(world: World) -> None:
    customers = read(world, "customers")
    for script in (r"\p{Latin}", r"\p{Cyrillic}", r"\p{Han}"):
        for column in ("name", "region", "owner"):
            assert customers[column].str.contains(script).mean() > 0.03, (script, column)  # type: ignore[operator]


def test_who_will_leave_without_having_said_so_is_still_a_customer_in_the_extract(world: World) -> None:
    customers = read(world, "customers").unique("customer_id")
    last_day = world.settings.end_on
    assert (customers["left_known_at"].drop_nulls() <= last_day).all()
    assert customers["left_on"].is_null().eq(customers["left_known_at"].is_null()).all()
    in_notice = customers.filter(pl.col("left_on") > last_day)
    assert 0 < in_notice.height < 0.02 * customers.height
    hidden = fates(world).join(customers, on="customer_id", suffix="_known")
    assert hidden.filter(pl.col("left_on").is_not_null() & pl.col("left_on_known").is_null()).height > 0


def test_only_leavers_have_a_reason_and_some_give_none(world: World) -> None:
    customers = read(world, "customers").unique("customer_id")
    stayed = customers.filter(pl.col("left_on").is_null())
    assert stayed["left_reason"].null_count() == stayed.height
    gone = customers.filter(pl.col("left_on").is_not_null())
    assert 0.1 < gone["left_reason"].null_count() / gone.height < 0.5
    assert gone["left_reason"].n_unique() == 6


@pytest.mark.parametrize(
    ("table", "who", "when"),
    [
        ("interactions", "customer_id", "at"),
        ("events", "customer_id", "at"),
        ("surveys", "customer_id", "invited_at"),
        ("surveys", "customer_id", "answered_at"),
    ],
)
def test_facts_are_about_customers_while_they_are_customers(
    world: World, table: str, who: str, when: str
) -> None:
    rows = read(world, table).filter(pl.col(when).is_not_null())
    both = rows.join(fates(world), left_on=who, right_on="customer_id", how="left")
    assert both["joined_on"].null_count() == 0
    day = both[when].dt.date()
    assert (day >= both["joined_on"]).all()
    assert (day < both["left_on"]).fill_null(value=True).all()
    first_day = world.settings.end_on - timedelta(days=world.settings.days - 1)
    assert first_day <= day.min() <= day.max() <= world.settings.end_on  # type: ignore[operator]


@pytest.mark.parametrize("end", ["caller_id", "callee_id"])
def test_calls_begin_with_joining_and_cease_with_leaving(world: World, end: str) -> None:
    rows = read(world, "calls").with_columns(day=pl.col("started_at").dt.date())
    both = rows.join(fates(world), left_on=end, right_on="customer_id")
    assert both.height > 0.6 * rows.height
    assert (both["day"] >= both["joined_on"]).all()
    assert (both["day"] < both["left_on"]).fill_null(value=True).all()
    gone = fates(world).filter(pl.col("left_on") <= world.settings.end_on)
    called = both.join(gone, left_on=end, right_on="customer_id", how="semi")
    assert called[end].n_unique() > 0.5 * gone.height


def test_every_call_has_a_customer_at_one_end_and_never_the_same_at_both(world: World) -> None:
    rows = read(world, "calls")
    known = fates(world)["customer_id"].implode()
    is_known = rows.select(pl.col("caller_id").is_in(known), pl.col("callee_id").is_in(known))
    assert is_known.max_horizontal().all()
    assert (rows["caller_id"] != rows["callee_id"]).all()
    off_net = 1 - is_known.min_horizontal().mean()  # type: ignore[operator]
    # 0.25 of the calls customers start and as many that reach them: 0.5 of 1.25.
    assert 0.3 < off_net < 0.5


def test_no_two_calls_of_a_pair_begin_in_the_same_second(world: World) -> None:
    rows = read(world, "calls").select(
        pl.min_horizontal("caller_id", "callee_id").alias("a"),
        pl.max_horizontal("caller_id", "callee_id"),
        "started_at",
    )
    assert rows.is_duplicated().sum() == 0


def test_texts_have_no_duration_and_missed_calls_have_minus_one(world: World) -> None:
    rows = read(world, "calls")
    voice = rows.filter(pl.col("kind") == "voice")
    assert rows.filter(pl.col("kind") != "voice")["duration_s"].null_count() == rows.height - voice.height
    assert voice["duration_s"].null_count() == 0
    assert (voice["duration_s"] == -1).mean() == pytest.approx(0.14, abs=0.01)
    assert voice.filter(pl.col("duration_s") != -1)["duration_s"].min() >= 1  # type: ignore[operator]


def test_calls_follow_the_day_and_come_in_bursts(world: World) -> None:
    rows = read(world, "calls")
    hours = rows.group_by(pl.col("started_at").dt.hour().alias("hour")).len().sort("hour")["len"]
    assert hours[18] > 10 * hours[3]
    pairs = rows.with_columns(
        a=pl.min_horizontal("caller_id", "callee_id"), b=pl.max_horizontal("caller_id", "callee_id")
    ).sort("a", "b", "started_at")
    gaps_s = (
        pairs.select(pl.col("started_at").diff().over("a", "b").dt.total_seconds()).to_series().drop_nulls()
    )
    spread, mean = gaps_s.std(), gaps_s.mean()
    # Burstiness (Goh & Barabasi 2008): 0 for a Poisson process.
    assert (spread - mean) / (spread + mean) > 0.2  # type: ignore[operator]


def test_parts_of_calls_are_in_order_of_time_and_each_lies_in_its_month(world: World) -> None:
    parts = sorted(world.paths["calls"].parent.glob("*.parquet"))
    assert len(parts) >= 7
    for part in parts:
        started = pl.read_parquet(part)["started_at"]
        assert started.is_sorted()
        assert started.dt.strftime("%Y-%m").unique().to_list() == [part.name[:7]]


def test_bills_are_monthly_and_only_for_whole_months(world: World) -> None:
    usage = read(world, "usage")
    assert usage.select("customer_id", "period_start").is_duplicated().sum() == 0
    assert (usage["period_start"].dt.day() == 1).all()
    # 210 days up to 30 June 2026 begin on 3 December, so December is cut.
    assert usage["period_start"].n_unique() == 6
    assert usage["minutes"].min() >= 0  # type: ignore[operator]


def test_minutes_billed_are_those_of_the_calls(world: World) -> None:
    seconds = (
        read(world, "calls")
        .filter(pl.col("duration_s") > 0)
        .group_by(
            pl.col("caller_id").alias("customer_id"),
            pl.col("started_at").dt.truncate("1mo").dt.date().alias("m"),
        )
        .agg(pl.col("duration_s").sum())
    )
    both = read(world, "usage").join(
        seconds, left_on=["customer_id", "period_start"], right_on=["customer_id", "m"], how="left"
    )
    assert (both["minutes"] - both["duration_s"].fill_null(0) / 60).abs().max() < 0.051  # type: ignore[operator]


def test_surveys_keep_their_scales_and_answers_follow_questions(world: World) -> None:
    surveys = read(world, "surveys")
    assert surveys["invitation_id"].n_unique() == surveys.height
    given = surveys.filter(pl.col("score").is_not_null())
    assert (given["answered_at"] >= given["invited_at"]).all()
    for metric, low, high in (("nps", 0, 10), ("csat", 1, 5), ("ces", 1, 7)):
        scores = given.filter(pl.col("metric") == metric)["score"]
        assert low <= scores.min() <= low + 4  # type: ignore[operator]
        assert scores.max() == high
    silent = surveys.filter(pl.col("score").is_null())
    assert silent["answered_at"].null_count() == silent["comment"].null_count() == silent.height


def test_comments_are_in_the_customers_own_language(world: World) -> None:
    said = read(world, "surveys").filter(pl.col("comment").is_not_null())
    assert (said.filter(pl.col("language") == "zh")["comment"].str.contains(r"\p{Han}")).all()
    assert (said.filter(pl.col("language") == "ru")["comment"].str.contains(r"\p{Cyrillic}")).all()
    assert said["language"].n_unique() == 4


def test_nobody_is_asked_without_consent_or_twice_within_four_weeks(world: World) -> None:
    surveys = read(world, "surveys")
    willing = read(world, "customers").filter(pl.col("may_survey"))["customer_id"].unique()
    assert surveys["customer_id"].is_in(willing.implode()).all()
    gaps = surveys.sort("customer_id", "invited_at").select(
        pl.col("invited_at").diff().over("customer_id").dt.total_days()
    )
    assert gaps.to_series().min() >= 20  # type: ignore[operator]


def test_the_unhappy_answer_less(world: World) -> None:
    hazard = (
        pl.read_parquet(world.truth_paths["hazard"]).group_by("customer_id").agg(pl.col("mood_level").mean())
    )
    waves = read(world, "surveys").filter(pl.col("occasion") == "relationship").join(hazard, on="customer_id")
    answered = waves["score"].is_not_null()
    assert waves.filter(answered)["mood_level"].mean() > waves.filter(~answered)["mood_level"].mean() + 0.1  # type: ignore[operator]


def test_who_asks_about_the_end_of_the_contract_leaves_more_often_but_not_always(world: World) -> None:
    asked = read(world, "interactions").filter(pl.col("topic").is_in(["cancellation", "contract end"]))[
        "customer_id"
    ]
    everyone = fates(world).with_columns(
        leaves=pl.col("left_on").is_not_null(), has_asked=pl.col("customer_id").is_in(asked.implode())
    )
    share = dict(everyone.group_by("has_asked").agg(pl.col("leaves").mean()).iter_rows())
    assert share[False] * 2 < share[True] < 0.8


def test_numbers_are_believable(world: World) -> None:
    truth = world.truth
    # 210 days x 1,500 customers x 2 %: about 210 leavers, so 4 standard errors are 0.0055.
    assert truth["monthly_churn"] == pytest.approx(0.02, abs=0.0055)
    assert truth["response_rate"] == pytest.approx(0.28, abs=0.05)
    assert -30 <= truth["nps"] <= 50
    assert truth["calls_per_customer_day"] == pytest.approx(0.8 * 1.25, rel=0.15)
    assert truth["customers_at_end"] == pytest.approx(1_500, rel=0.05)


@pytest.mark.parametrize("monthly_churn", [0.01, 0.04])
def test_churn_stays_near_its_setting_with_contagion(tmp_path: Path, monthly_churn: float) -> None:
    settings = WorldSettings(
        customers=6_000,
        days=150,
        monthly_churn=monthly_churn,
        contagion=2.5,
        homophily=0.6,
        calls_per_day=0.01,
    )
    truth = simulate(tmp_path, settings).truth
    # Contagion clumps leavings, so their variance is several times Poisson's.
    slack = 6 / truth["leavers"] ** 0.5
    assert truth["monthly_churn"] == pytest.approx(monthly_churn, rel=slack)


def test_the_truth_says_with_which_numbers_the_world_was_made(world: World) -> None:
    parameters: dict[str, Any] = json.loads(world.truth_paths["parameters"].read_text(encoding="utf-8"))
    assert parameters["settings"]["contagion"] == 2.5
    assert parameters["rows"] == world.rows
    assert parameters["realised"]["leavers"] == world.truth["leavers"]


def test_leavers_in_the_summary_are_those_of_the_extract(world: World) -> None:
    customers = read(world, "customers").unique("customer_id")
    assert customers.filter(pl.col("left_on") <= world.settings.end_on).height == world.truth["leavers"]


def test_true_strength_is_contacts_a_day(world: World) -> None:
    ties = pl.read_parquet(world.truth_paths["ties"])
    lasting = ties.filter(pl.col("is_strong"))
    ever = (
        fates(world)
        .filter(
            (pl.col("joined_on") < world.settings.end_on - timedelta(days=210)) & pl.col("left_on").is_null()
        )["customer_id"]
        .implode()
    )
    lasting = lasting.filter(pl.col("customer_a").is_in(ever), pl.col("customer_b").is_in(ever))
    calls_made = (
        read(world, "calls")
        .group_by(
            pl.min_horizontal("caller_id", "callee_id").alias("customer_a"),
            pl.max_horizontal("caller_id", "callee_id").alias("customer_b"),
        )
        .len()
    )
    both = lasting.join(calls_made, on=["customer_a", "customer_b"], how="left").with_columns(
        pl.col("len").fill_null(0)
    )
    made_per_day = both["len"].sum() / 210
    # Quiet months take about 4 % of the contacts away, the end of a month cuts some trains.
    assert made_per_day == pytest.approx(float(both["strength"].sum()) * 0.96, rel=0.05)


def test_the_same_settings_give_the_same_bytes_and_another_seed_another_world(tmp_path: Path) -> None:
    one = simulate(tmp_path / "one", TINY)
    two = simulate(tmp_path / "two", TINY)
    assert digests(one.directory) == digests(two.directory)
    other = simulate(tmp_path / "other", WorldSettings(customers=120, days=70, seed=4, calls_per_day=0.5))
    differing = {
        name
        for name, digest in digests(other.directory).items()
        if digests(one.directory).get(name) != digest
    }
    assert not {"customers.csv", "usage.csv", "truth/people/people.parquet"} - differing


def test_every_table_can_be_written_in_either_format(tmp_path: Path) -> None:
    whole = dict.fromkeys(DEFAULT_FORMATS, "parquet")
    columns = simulate(tmp_path / "p", WorldSettings(customers=120, days=70, file_format=whole))  # type: ignore[arg-type]
    text = simulate(tmp_path / "c", WorldSettings(customers=120, days=70, file_format={"calls": "csv"}))
    for table in COLUMNS:
        assert read(columns, table).height == read(text, table).height == columns.rows[table]
    assert (tmp_path / "c" / "calls.csv").is_file()
    assert not (tmp_path / "c" / "calls").exists()


def test_calls_are_written_in_blocks_so_that_memory_does_not_grow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "BLOCK_CONTACTS", 500)
    world = simulate(tmp_path, TINY)
    sizes = [pl.read_parquet(part).height for part in world.paths["calls"].parent.glob("*.parquet")]
    assert sum(sizes) == world.rows["calls"] > 3_000
    # A block is cut by the contacts expected of its ties; bursts make it at most a few times larger.
    assert max(sizes) < 4 * 500
    assert len(sizes) > 6


def test_a_new_world_replaces_an_old_one_without_leaving_parts_of_it(tmp_path: Path) -> None:
    shorter = WorldSettings(customers=60, days=28, community_size=30)
    simulate(tmp_path / "used", TINY)
    again, fresh = simulate(tmp_path / "used", shorter), simulate(tmp_path / "fresh", shorter)
    assert digests(again.directory) == digests(fresh.directory)


def test_files_that_no_simulation_wrote_are_not_touched(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("mine")
    with pytest.raises(UsageError, match=r"customers\.csv") as caught:
        simulate(tmp_path, TINY)
    assert caught.value.codes == ("directory_taken",)
    assert (tmp_path / "customers.csv").read_text() == "mine"


def test_a_world_that_was_cut_off_can_be_made_again(tmp_path: Path) -> None:
    class Stop(Exception):
        pass

    def stop(stage: str, done: int, total: int) -> None:
        if done == total - 1:
            raise Stop(stage)

    with pytest.raises(Stop):
        simulate(tmp_path, TINY, progress=stop)
    assert not (tmp_path / "truth" / "parameters.json").exists()
    simulate(tmp_path, TINY)
    assert (tmp_path / "truth" / "parameters.json").is_file()
    assert not (tmp_path / "truth" / "unfinished").exists()


def test_progress_counts_the_months_to_the_end(tmp_path: Path) -> None:
    seen: list[tuple[str, int, int]] = []
    simulate(tmp_path, TINY, progress=lambda *step: seen.append(step))
    total = seen[0][2]
    assert [done for _, done, _ in seen] == list(range(total + 1))
    assert seen[-1][0] == "done"
