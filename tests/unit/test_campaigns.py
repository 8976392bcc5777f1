"""What campaigns brought: told with intervals where there is enough, and said not to be where there is not."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from churnrisk.campaigns import ELSEWHERE, Campaigns, campaigns
from churnrisk.dates import AsOf
from churnrisk.inputs import Inputs
from churnrisk.ledger import Ledger
from churnrisk.ledger.entries import add
from churnrisk.ledger.schema import ARMS, CAMPAIGNS, TREATMENTS
from churnrisk.store import Engine, Workspace
from tests.spec.features.drawn import lake_of
from training.uplift.alike import SAME_OFFER
from training.uplift.nuisance import BY_LOT

AS_OF = AsOf(date(2026, 6, 30))
MADE_AT = datetime(2026, 3, 5, 10)


def drawn(n: int, *, effect: float = 0.15, seed: int = 1) -> dict[str, str | pl.DataFrame]:
    """A fifth left without; of them 25 % leave, of the treated so many points fewer; usage that tells nothing."""
    rng = np.random.default_rng(seed)
    is_control = rng.random(n) < 0.2
    leaves = rng.random(n) < np.where(is_control, 0.25, 0.25 - effect)
    customers = ["customer_key | valid_from | joined_at | left_at | left_known_at | monthly_value"]
    treatments = [
        "treatment_id | customer_key | at | offer_id | propensity | accepted | root_cause | known_at"
    ]
    usage = ["customer_key | period_start | metric | value | known_at"]
    for key in range(n):
        left = "2026-04-01" if leaves[key] else ""
        customers.append(f"{key} | 2024-01-01 | 2024-01-01 | {left} | {left} | 10")
        offer, chance = ("control", 0.2) if is_control[key] else ("call", 0.8)
        cause = "price" if key % 2 else ""
        treatments.append(
            f"t{key} | {key} | 2026-03-05 10:00 | {offer} | {chance} | | {cause} | 2026-03-05 10:00"
        )
        usage.append(f"{key} | 2026-02-01 | minutes | {rng.integers(1, 100)} | 2026-02-02")
    offers = pl.DataFrame(
        {"offer_id": ["call"], "name": ["A call"], "contact_cost": [4.0], "incentive_cost": [0.0]}
    )
    written = {"customers": customers, "treatments": treatments, "usage": usage}
    return {**{name: "\n".join(rows) for name, rows in written.items()}, "offers": offers}


def told(
    root: Path, tables: Mapping[str, str | pl.DataFrame], *, ledger: Mapping[str, pl.DataFrame] | None = None
) -> Campaigns:
    (root / "churnrisk.toml").write_text('[churn]\nkind = "cancelled"\ngap_days = 14\nhorizon_days = 30\n')
    workspace = Workspace.open(root)
    lake = lake_of(root / "drawn", tables)
    if ledger is not None:
        with Ledger.open(workspace, {}) as opened, opened.writing() as db:
            for table in (CAMPAIGNS, ARMS, TREATMENTS):
                if table.name in ledger:
                    add(db, table, ledger[table.name])
    with Engine(threads=1) as engine:
        lake.register(engine)
        return campaigns(workspace, engine, lake, Inputs(environment={}), AS_OF)


def test_an_effect_that_was_planted_lies_in_its_interval(tmp_path: Path) -> None:
    found = told(tmp_path, drawn(3_000))
    (row,) = found.tables["campaigns"].to_dicts()
    assert (row["campaign_id"], row["offer_id"], row["verdict"]) == (ELSEWHERE, "call", "measured")
    assert row["effect_low"] < 0.15 < row["effect_high"]
    assert row["ratio_high"] < 1
    assert row["kept"] == pytest.approx(row["effect"] * row["n_treated"])
    assert "customers kept" in found.sentences[0]


def test_beside_controls_of_the_same_offer_it_says_so(tmp_path: Path) -> None:
    tables = drawn(3_000)
    head, *lines = str(tables["treatments"]).splitlines()
    told_of = [f"{line} | {'call' if 'control' in line else ''}" for line in lines]
    found = told(tmp_path, {**tables, "treatments": "\n".join([f"{head} | instead_of", *told_of])})
    (row,) = found.tables["campaigns"].to_dicts()
    assert (row["compared_with"], row["propensity"]) == (SAME_OFFER, BY_LOT)
    assert row["n_compared"] + row["n_control"] == 3_000
    assert row["effect_low"] < 0.15 < row["effect_high"]
    assert "who would have been and were left without" in found.sentences[0]
    assert set(found.tables["causes"]["compared_with"]) == {SAME_OFFER}


@pytest.mark.parametrize("by", ["left_alone", "propensity"])
def test_controls_weigh_by_the_chance_of_being_left_alone_or_where_it_is_not_told_by_the_whole_chance(
    by: str, tmp_path: Path
) -> None:
    tables = drawn(1_200, effect=0.0)
    head, *lines = str(tables["treatments"]).splitlines()
    # of every second customer the chance written down of being left alone is another one
    cells = [line.split(" | ") for line in lines]
    alone = np.array([cell[3] == "control" for cell in cells])
    chance = np.where(np.arange(1_200) % 2, 0.6, float(cells[0][4]))
    for cell, is_control, mine in zip(cells, alone, chance, strict=True):
        cell[4] = str(mine) if is_control and by == "propensity" else cell[4]
        cell += ["call" if is_control else "", str(mine) if is_control and by == "left_alone" else ""]
    treatments = "\n".join([f"{head} | instead_of | left_alone", *(" | ".join(cell) for cell in cells)])
    (row,) = told(tmp_path, {**tables, "treatments": treatments}).tables["campaigns"].to_dicts()
    left = str(tables["customers"]).splitlines()[1:]
    stayed = np.array([not line.split(" | ")[3].strip() for line in left], dtype=float)
    weight = (1 - chance) / chance
    expected = stayed[~alone].mean() - np.average(stayed[alone], weights=weight[alone])
    assert row["difference"] == pytest.approx(expected)


def test_few_treatments_are_not_told_in_numbers(tmp_path: Path) -> None:
    found = told(tmp_path, drawn(60))
    assert found.tables["campaigns"]["effect"].to_list() == [None]
    assert "not enough data" in found.sentences[0]


def test_causes_are_told_beside_each_other(tmp_path: Path) -> None:
    causes = told(tmp_path, drawn(3_000)).tables["causes"]
    assert causes["root_cause"].to_list() == ["price", None]
    assert set(causes["verdict"]) == {"measured"}


def test_other_rules_are_valued_on_the_same_decisions(tmp_path: Path) -> None:
    rules = told(tmp_path, drawn(3_000)).tables["rules"]
    earned = dict(rules.select("rule", "dr").iter_rows())
    # 120 a year each: .75 stay without, .9 with a call that costs 4
    assert earned["nobody gets anything"] == pytest.approx(0.75 * 120, abs=6)
    assert earned["everybody gets call"] == pytest.approx(0.9 * 120 - 4, abs=4)


def test_treatments_of_the_ledger_go_by_their_campaign(tmp_path: Path) -> None:
    tables = drawn(600)
    made = pl.DataFrame(
        {"treatment_id": [f"t{key}" for key in range(300)], "customer_id": [f"c{key}" for key in range(300)]}
    ).with_columns(
        offer_id=pl.lit("call"),
        campaign_id=pl.lit("spring"),
        at=pl.lit(MADE_AT),
        known_at=pl.lit(MADE_AT),
        source=pl.lit("decide"),
        written_at=pl.lit(MADE_AT),
    )
    found = told(tmp_path, tables, ledger={"treatments": made})
    assert found.tables["campaigns"]["campaign_id"].to_list() == [ELSEWHERE, "spring"]


def test_what_happens_around_the_treated_is_told_where_arms_went_by_community(tmp_path: Path) -> None:
    n = 2_000
    tables = drawn(n, effect=0.0)
    started = pl.DataFrame(
        {
            "campaign_id": ["spring"],
            "kind": ["offer"],
            "started_on": [date(2026, 3, 1)],
            "unit": ["community"],
            "control_share": [0.5],
            "settings": ["{}"],
            "written_at": [MADE_AT],
        }
    )
    arms = pl.DataFrame({"key": range(n)}).select(
        campaign_id=pl.lit("spring"),
        customer_id=pl.concat_str(pl.lit("c"), "key"),
        arm=pl.when(pl.col("key") % 100 < 50).then(pl.lit("treated")).otherwise(pl.lit("control")),
        community=(pl.col("key") % 100).cast(pl.String),
        probability=pl.lit(0.5),
        frozen_at=pl.lit(MADE_AT),
    )
    found = told(tmp_path, tables, ledger={"campaigns": started, "arms": arms})
    (row,) = found.tables["spillover"].to_dicts()
    assert (row["n_treated_communities"], row["n_control_communities"], row["n_customers"]) == (50, 50, n)
    assert row["difference_low"] < 0 < row["difference_high"]
    assert any("around those treated" in sentence for sentence in found.sentences)


def test_without_treatments_it_says_so(tmp_path: Path) -> None:
    tables = {name: text for name, text in drawn(20).items() if name != "treatments"}
    found = told(tmp_path, tables)
    assert found.tables == {}
    assert found.sentences == ("Nothing is told of offers: no treatments are recorded.",)
