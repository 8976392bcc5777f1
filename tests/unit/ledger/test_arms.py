"""Arms of a campaign are frozen when it starts: by customer or by community, late-comers with those around them."""

from dataclasses import replace
from datetime import date, datetime

import polars as pl
import pytest

from churnrisk.ledger import Ledger
from churnrisk.ledger.arms import (
    COMMUNITY,
    CUSTOMER,
    Campaign,
    arms_of,
    campaign_of,
    contamination,
    frozen_arms,
)

NOW, LATER = datetime(2026, 5, 2), datetime(2026, 6, 2)
SPRING = Campaign("spring", date(2026, 5, 1), CUSTOMER, 0.3)
BLOCKS = replace(SPRING, campaign_id="blocks", unit=COMMUNITY, control_share=0.4)


def people(n: int, *, of: int = 40, names: str = "{}") -> pl.DataFrame:
    """Customers in communities of ``of``, whose names tonight are as ``names`` has them."""
    return pl.DataFrame(
        {
            "customer_id": [f"c{number:05}" for number in range(n)],
            "community": [names.format(number // of) for number in range(n)],
        }
    )


def test_arms_stay_when_the_settings_change(ledger: Ledger) -> None:
    with ledger.writing() as db:
        first = campaign_of(db, SPRING, NOW)
        before = frozen_arms(db, first, people(500), salt="s", now=NOW)
        again = campaign_of(db, replace(SPRING, control_share=0.9, unit=COMMUNITY), LATER)
        after = frozen_arms(db, again, people(800), salt="another salt", now=LATER)
    assert again == first == SPRING
    assert after.filter(pl.col("frozen_at") == NOW).equals(before)
    assert after.height == 800
    assert before.group_by("arm").agg(pl.col("probability").unique().sort()).sort("arm").rows() == [
        ("control", [0.3]),
        ("treated", [0.7]),
    ]


def test_all_of_a_community_share_an_arm(ledger: Ledger) -> None:
    with ledger.writing() as db:
        campaign = campaign_of(db, BLOCKS, NOW)
        arms = frozen_arms(db, campaign, people(4_000), salt="s", now=NOW)
    by = arms.group_by("community").agg(pl.col("arm").n_unique(), control=(pl.col("arm") == "control").any())
    assert by["arm"].unique().to_list() == [1]
    assert by["control"].mean() == pytest.approx(0.4, abs=0.2)


def test_who_joins_a_community_later_gets_its_arm_whatever_it_is_called_by_then(ledger: Ledger) -> None:
    with ledger.writing() as db:
        campaign = campaign_of(db, BLOCKS, NOW)
        before = frozen_arms(db, campaign, people(2_000), salt="s", now=NOW)
        renamed = people(2_000, names="night two {}")
        joined = renamed.with_columns(pl.concat_str(pl.lit("new-"), "customer_id").alias("customer_id"))[::20]
        after = frozen_arms(db, campaign, pl.concat([renamed, joined]), salt="s", now=LATER)
        kept = arms_of(db, "blocks").filter(pl.col("frozen_at") == NOW)
    assert kept.equals(before)
    arm = dict(after.select("customer_id", "arm").iter_rows())
    for name, _ in joined.iter_rows():
        assert arm[name] == arm[name.removeprefix("new-")]


def test_whoever_is_in_no_community_draws_alone(ledger: Ledger) -> None:
    alone = people(3_000).with_columns(community=pl.lit(None, dtype=pl.String))
    with ledger.writing() as db:
        arms = frozen_arms(db, campaign_of(db, BLOCKS, NOW), alone, salt="s", now=NOW)
    assert (arms["arm"] == "control").mean() == pytest.approx(0.4, abs=0.05)


def test_contamination_is_the_share_of_ties_that_lead_to_the_other_arm() -> None:
    """a and b treated, c and d control: a-b 3, a-c 1, c-d 2. Of a's and b's 7 leads 1 across; of c's and d's 5, 1."""
    arms = pl.DataFrame({"customer_id": list("abcd"), "arm": ["treated", "treated", "control", "control"]})
    ties = pl.DataFrame(
        {"customer_a": list("aacx"), "customer_b": list("bcda"), "strength": [3.0, 1.0, 2.0, 9.0]}
    )
    found = contamination(ties, arms)
    assert (found.treated_to_control, found.control_to_treated) == (1 / 7, 1 / 5)
    assert (found.n_ties, found.n_across) == (3, 1)
    assert "14.3%" in found.sentence()
    nothing = contamination(ties.clear(), arms)
    assert nothing.treated_to_control is None
    assert nothing.sentence() == "No ties within the campaign: its arms do not touch."
