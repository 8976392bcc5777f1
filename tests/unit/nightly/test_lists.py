"""The files of a night: whoever withdrew since it was decided is on none of them, and is said to be left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, cast

import polars as pl
import pytest
from sqlalchemy import update

from churnrisk.dates import AsOf
from churnrisk.ledger import Decisions, Ledger, facts, record_decisions
from churnrisk.ledger.identity import stable_ids
from churnrisk.ledger.permission import suppress
from churnrisk.ledger.schema import SUPPRESSIONS
from churnrisk.messages import Sentences
from churnrisk.night_report import Made
from churnrisk.nightly.basis import Basis
from churnrisk.nightly.extent import DRY_RUN, NIGHTLY
from churnrisk.nightly.lists import NightList, night_lists
from churnrisk.sources import LoadedSources
from churnrisk.store import Workspace
from churnrisk.tables.lake import LakeTables
from tests.drawn_models import drawn_bundle

if TYPE_CHECKING:
    from churnrisk.night_monitor import Past
    from churnrisk.store import Engine

DAY = date(2026, 6, 30)
PEOPLE = ["anna", "bo", "cho", "dmitri", "=eva"]


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    (tmp_path / "churnrisk.toml").write_text("[holdout]\nshare = 0\n")
    with Ledger.open(Workspace.open(tmp_path), {}) as opened:
        yield opened


@pytest.fixture
def basis(tmp_path: Path, ledger: Ledger) -> Basis:
    long_ago = datetime(2026, 1, 1)
    tables = {
        "customers": pl.DataFrame({"customer_key": range(5), "version": [1] * 5}).with_columns(
            known_at=pl.lit(long_ago),
            valid_from=pl.lit(long_ago),
            may_survey=pl.lit(value=True),
            may_contact=pl.lit(value=True),
        ),
        "keys": pl.DataFrame({"customer_key": range(5), "customer_id": PEOPLE}),
        "offers": pl.DataFrame({"offer_id": ["gift"], "name": ["A gift"]}),
        "carry": pl.DataFrame({"customer_key": range(5), "channel": ["shop"] * 5}),
    }
    for name, frame in tables.items():
        frame.write_parquet(tmp_path / f"{name}.parquet")
    loaded = LoadedSources(LakeTables({name: tmp_path / f"{name}.parquet" for name in tables}), {}, {})
    nothing = cast("Engine", None), cast("Past", None)
    return Basis(
        Workspace.open(tmp_path),
        nothing[0],
        AsOf(DAY, "UTC"),
        NIGHTLY,
        loaded,
        drawn_bundle(tenure_days="profile"),
        nothing[1],
        "r",
        Sentences.of("en"),
        ledger=ledger,
    )


def made() -> Made:
    """Anna to dmitri on the list, bo a control, dmitri asked first; anna, cho and eva get an offer."""
    listed = pl.DataFrame(
        {
            "as_of": [DAY] * 4,
            "position": [1, 2, 3, 4],
            "customer_id": PEOPLE[:4],
            "risk": [0.5] * 4,
            "band": ["high"] * 4,
            "value": [10.0] * 4,
            "spillover_value": [None] * 4,
            "offer_id": ["gift", None, "gift", None],
            "treatment_id": ["t-anna", None, "t-cho", None],
            "reasons": ["Why."] * 4,
            "changed": [None] * 4,
            "left_out_for": [None, "campaign_hold_out", None, "asked_first"],
        },
        schema_overrides={"spillover_value": pl.Float64, "changed": pl.String},
    )
    offered = pl.DataFrame(
        {
            "customer_id": ["anna", "bo", "cho", "=eva"],
            "decision": ["offer", "hold-out", "offer", "offer"],
            "reason_code": ["chosen", "campaign_hold_out", "chosen", "chosen"],
            "priority": [1, 2, 3, 4],
        }
    ).with_columns(
        as_of=pl.lit(DAY),
        offer_id=pl.lit("gift"),
        treatment_id=pl.concat_str(pl.lit("t-"), "customer_id"),
        channel=pl.lit("sms"),
        why=pl.lit("Worth it."),
        **{name: pl.lit(1.239) for name in ("net_value", "low", "high", "spillover_value", "cost")},
    )
    asked = pl.DataFrame({"customer_id": ["dmitri"], "decision": ["ask"], "position": [1]}).with_columns(
        as_of=pl.lit(DAY),
        channel=pl.lit("email"),
        **{
            name: pl.lit(name)
            for name in ("invitation_id", "metric", "occasion", "language", "purpose", "why")
        },
    )
    frames = {"at_risk": listed, "offers_ranked": offered, "survey_requests": asked}
    return Made(frames, ())


def lists(basis: Basis) -> dict[str, NightList]:
    return {each.name: each for each in night_lists(basis, made())}


def test_the_list_holds_those_to_call_with_their_offer_and_offers_those_of_the_others(basis: Basis) -> None:
    found = lists(basis)
    calls = found["at_risk"].frame
    assert calls.select("position", "customer_id", "offer_name", "offer_why", "treatment_id").rows() == [
        (1, "anna", "A gift", "Worth it.", "t-anna"),
        (2, "cho", "A gift", "Worth it.", "t-cho"),
    ]
    offers = found["offers"].frame
    assert offers.select("customer_id", "offer_name", "channel", "crm_channel", "cost").rows() == [
        ("=eva", "A gift", "sms", "shop", 1.24)
    ]
    assert found["survey_requests"].frame["customer_id"].to_list() == ["dmitri"]
    assert ["channel" in each.own for each in found.values()] == [False, True, True]


def test_the_list_has_its_columns_for_an_offer_wherever_there_are_offers(basis: Basis) -> None:
    some = lists(basis)["at_risk"].frame
    frames = {**made().frames}
    nobody = pl.lit(None, dtype=pl.String)
    frames["at_risk"] = frames["at_risk"].with_columns(offer_id=nobody, treatment_id=nobody)
    frames["offers_ranked"] = frames["offers_ranked"].clear()

    def listed(basis: Basis) -> pl.DataFrame:
        return next(night_lists(basis, Made(frames, ()))).frame

    none = listed(basis)
    assert none.columns == some.columns
    assert none.select("offer_id", "offer_name", "offer_why", "treatment_id").null_count().row(0) == (2,) * 4
    paths = {name: path for name, path in basis.loaded.tables.paths.items() if name != "offers"}
    without = listed(replace(basis, loaded=LoadedSources(LakeTables(paths), {}, {})))
    assert without.columns == [
        name for name in some.columns if "offer" not in name and name != "treatment_id"
    ]


def test_whoever_withdrew_since_is_on_no_list_and_told_so(basis: Basis, ledger: Ledger) -> None:
    with ledger.writing() as db:
        suppress(ledger, db, ["anna", "=eva"], reason="asked", now=datetime(2026, 7, 1))
        suppress(ledger, db, ["cho"], reason="asked", now=datetime(2026, 7, 1), channel="call")
    found = lists(basis)
    assert found["at_risk"].frame.is_empty()
    assert found["at_risk"].withdrawn.rows() == [("anna", "do_not_contact"), ("cho", "suppressed")]
    # cho may still be written to
    assert found["offers"].frame["customer_id"].to_list() == ["cho"]
    assert found["offers"].withdrawn["customer_id"].to_list() == ["anna", "=eva"]


def test_without_a_ledger_nothing_is_decided_and_only_the_list_is_made(basis: Basis) -> None:
    found = {each.name for each in night_lists(replace(basis, ledger=None), made())}
    assert found == {"at_risk"}


def decide(ledger: Ledger, basis: Basis) -> None:
    """Write the decisions: dmitri is asked, anna, cho and eva get an offer, bo is approached."""
    references = {
        "dmitri": "invitation_id", "anna": "t-anna", "cho": "t-cho", "=eva": "t-=eva", "bo": "p-bo",
    }  # fmt: skip
    kinds = {"dmitri": "survey", "bo": "promoter"}
    rows = pl.DataFrame(
        {"customer_id": list(references), "reference": list(references.values())}
    ).with_columns(kind=pl.col("customer_id").replace_strict(kinds, default="offer"))
    decisions = rows.with_columns(
        subject=pl.when(kind="promoter").then(pl.lit("referral")).otherwise(pl.lit("gift")),
        position=pl.int_range(1, 6), decision=pl.lit("offer"), reason_code=pl.lit("chosen"),
        why=pl.lit(""), value=pl.lit(1.0), cost=pl.lit(1.0), channel=pl.lit("sms"), purpose=pl.col("kind"),
        propensity=pl.lit(0.5), is_random=pl.lit(value=False), details=pl.lit("{}"),
    )  # fmt: skip
    at = pl.lit(basis.as_of.instant)
    treated = (
        rows.filter(kind="offer")
        .select("customer_id", treatment_id="reference")
        .with_columns(offer_id=pl.lit("gift"), at=at, propensity=pl.lit(0.5), source=pl.lit("decide"))
    )
    asked = (
        rows.filter(kind="survey")
        .select("customer_id", invitation_id="reference")
        .with_columns(
            metric=pl.lit("nps"),
            occasion=pl.lit("x"),
            purpose=pl.lit("confirm"),
            invited_at=at,
            state=pl.lit("invited"),
        )
    )
    made = rows.select("customer_id", source="kind", source_id="reference", purpose="kind").with_columns(
        contact_id=stable_ids("contact", rows, ["kind", "reference"]),
        at=at,
        is_transactional=pl.lit(value=False),
    )
    wanted = Decisions("r", "s", "{}", decisions, invitations=asked, treatments=treated, contacts=made)
    record_decisions(ledger, DAY, basis.as_of.instant, wanted, datetime(2026, 7, 1, 3))


def approached(*customers: str) -> pl.DataFrame:
    return pl.DataFrame({"customer_id": customers, "position": range(1, len(customers) + 1)}).with_columns(
        promoter_influence=pl.lit(2.5),
        band=pl.lit("low"),
        programme=pl.lit("referral"),
        channel=pl.lit("email"),
        as_of=pl.lit(DAY),
    )


def promoters(basis: Basis, *customers: str) -> NightList:
    shown = replace(made(), promoters=approached(*customers))
    return next(each for each in night_lists(basis, shown) if each.name == "promoters")


def test_promoters_say_through_which_channel_and_are_looked_at_for_it_once_more(
    basis: Basis, ledger: Ledger
) -> None:
    found = promoters(basis, "bo", "cho", "dmitri")
    assert found.frame.columns[-4:] == ["band", "programme", "channel", "as_of"]
    assert {"programme", "channel"} < {*found.own}
    with ledger.writing() as db:
        suppress(ledger, db, ["bo"], reason="asked", now=datetime(2026, 7, 1), channel="email")
        suppress(ledger, db, ["cho"], reason="asked", now=datetime(2026, 7, 1), channel="call")
    found = promoters(basis, "bo", "cho", "dmitri")
    assert found.frame.select("position", "customer_id", "channel", "crm_channel").rows() == [
        (1, "cho", "email", "shop"),
        (2, "dmitri", "email", "shop"),
    ]
    assert found.withdrawn.rows() == [("bo", "suppressed")]


def test_a_promoter_who_is_stopped_was_not_contacted(basis: Basis, ledger: Ledger) -> None:
    decide(ledger, basis)
    assert "bo" in on_record(ledger)[2]
    with ledger.writing() as db:
        suppress(ledger, db, ["bo"], reason="asked", now=datetime(2026, 7, 1), channel="email")
    for _ in range(2):
        assert promoters(basis, "bo").frame.is_empty()
        assert "bo" not in on_record(ledger)[2]


def test_of_a_date_that_was_not_decided_promoters_have_no_channel(basis: Basis) -> None:
    shown = replace(made(), promoters=approached("bo").drop("programme", "channel"))
    found = next(each for each in night_lists(basis, shown) if each.name == "promoters")
    assert found.frame.columns[-3:] == ["promoter_influence", "band", "as_of"]
    assert "channel" not in found.own


def on_record(ledger: Ledger) -> tuple[list[str], list[str], list[str]]:
    """Return who was asked, treated and contacted, as the next night sees it."""
    tomorrow = datetime(2026, 7, 2)
    with ledger.reading() as db:
        found = facts.asked(db, tomorrow), facts.treatments(db, tomorrow), facts.contacts(db)
    asked, treated, contacted = (sorted(each["customer_id"]) for each in found)
    return asked, treated, contacted


def test_whoever_a_file_leaves_out_is_not_on_record_as_asked_treated_or_contacted(
    basis: Basis, ledger: Ledger
) -> None:
    decide(ledger, basis)
    with ledger.writing() as db:
        suppress(ledger, db, ["dmitri", "=eva"], reason="asked", now=datetime(2026, 7, 1))
    for _ in range(2):
        found = lists(basis)
        assert found["survey_requests"].frame.is_empty()
        assert on_record(ledger) == ([], ["anna", "cho"], ["anna", "bo", "cho"])


def test_who_was_stopped_once_stays_out_of_the_files_of_that_date(basis: Basis, ledger: Ledger) -> None:
    decide(ledger, basis)
    with ledger.writing() as db:
        suppress(ledger, db, ["=eva"], reason="asked", now=datetime(2026, 7, 1))
    lists(basis)
    with ledger.writing() as db:
        db.execute(update(SUPPRESSIONS).values(until=datetime(2026, 7, 2)))
    again = lists(basis)["offers"]
    assert (again.frame.height, again.withdrawn["customer_id"].to_list()) == (0, ["=eva"])


def test_a_dry_run_leaves_the_record_as_it_is(basis: Basis, ledger: Ledger) -> None:
    decide(ledger, basis)
    with ledger.writing() as db:
        suppress(ledger, db, ["dmitri"], reason="asked", now=datetime(2026, 7, 1))
    assert lists(replace(basis, extent=DRY_RUN))["survey_requests"].frame.is_empty()
    assert on_record(ledger)[0] == ["dmitri"]
