"""Features and labels see one table of surveys and one of treatments: sources and ledger merged by id."""

from datetime import date, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import churnrisk
from churnrisk.dates import AsOf
from churnrisk.inputs import Inputs
from churnrisk.ledger import Ledger, crm_consents, standing_of
from churnrisk.ledger.entries import add
from churnrisk.ledger.facts import answers, schema_of
from churnrisk.ledger.merged import (
    SURVEYS,
    TREATMENTS,
    contacts_of_sources,
    merged_customers,
    survey_rows,
    words_on_answers,
)
from churnrisk.ledger.schema import ANSWERS, CONSENTS, INVITATIONS
from churnrisk.ledger.schema import TREATMENTS as MADE
from churnrisk.loaded import adopt, loaded_sources, with_ledger
from churnrisk.reachable import reachable
from churnrisk.sources import LoadedSources
from churnrisk.store import Workspace
from churnrisk.tables.lake import LakeTables
from scoring import consents_in_force

NOON = datetime(2026, 5, 1, 12)
NIGHT = AsOf(date(2026, 5, 9))
KEYS = pl.DataFrame({"customer_key": [0, 1, 2, 3], "customer_id": ["a", "b", "c", None]})


def invitation(
    name: str, customer: str, *, purpose: str = "relationship", days: int = 0
) -> dict[str, object]:
    at = NOON + timedelta(days=days)
    return {
        "invitation_id": name,
        "customer_id": customer,
        "metric": "nps",
        "occasion": "relationship",
        "purpose": purpose,
        "invited_at": at,
        "known_at": at,
        "state": "sent",
        "written_at": at,
    }


def answer(
    name: str, customer: str, score: float, *, days: int = 1, known: int | None = None, **more: object
) -> dict[str, object]:
    at = NOON + timedelta(days=days)
    return {
        "answer_id": f"x-{name}-{days}",
        "invitation_id": name,
        "customer_id": customer,
        "metric": "nps",
        "score": score,
        "answered_at": at,
        "known_at": at if known is None else NOON + timedelta(days=known),
        "source": "file",
        "is_late": False,
        "written_at": at,
        **more,
    }


def treatment(name: str, customer: str, **more: object) -> dict[str, object]:
    return {
        "treatment_id": name,
        "customer_id": customer,
        "offer_id": "discount",
        "at": NOON,
        "known_at": NOON,
        "source": "decided",
        "written_at": NOON,
        **more,
    }


def write(ledger: Ledger, **rows: list[dict[str, object]]) -> None:
    tables = {"invitations": INVITATIONS, "answers": ANSWERS, "treatments": MADE}
    with ledger.writing() as db:
        for name, table in tables.items():
            if name in rows:
                kinds = schema_of(table)
                given = {key for row in rows[name] for key in row}
                add(
                    db, table, pl.DataFrame(rows[name], schema={k: v for k, v in kinds.items() if k in given})
                )


def source(kinds: dict[str, pl.DataType], *rows: dict[str, object]) -> pl.DataFrame:
    return pl.DataFrame([{name: row.get(name) for name in kinds} for row in rows], schema=kinds)


def merged(
    workspace: Workspace, environment: dict[str, str], as_of: AsOf = NIGHT, **tables: pl.DataFrame
) -> LoadedSources:
    folder = workspace.root / "drawn"
    folder.mkdir(exist_ok=True)
    paths: dict[str, Path] = {}
    for name, frame in {"keys": KEYS, **tables}.items():
        paths[name] = folder / f"{name}.parquet"
        frame.write_parquet(paths[name])
    loaded = LoadedSources(LakeTables(paths, fingerprints=dict.fromkeys(tables, "f")), {}, {})
    return with_ledger(workspace, loaded, environment, as_of)


def table(loaded: LoadedSources, name: str) -> pl.DataFrame:
    return pl.read_parquet(loaded.tables.paths[name])


def test_answers_of_the_ledger_stand_beside_those_of_the_source(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    write(
        ledger,
        invitations=[invitation("l1", "a"), invitation("l2", "b"), invitation("l3", "unknown")],
        answers=[answer("l1", "a", 3.0, comment="дорого")],
    )
    theirs = {
        "invitation_id": "s1",
        "customer_key": 2,
        "metric": "nps",
        "occasion": "relationship",
        "invited_at": NOON,
    }
    found = merged(workspace, environment, surveys=source(SURVEYS, theirs))
    rows = table(found, "surveys")
    assert rows.schema == pl.Schema(SURVEYS)
    assert rows.select("invitation_id", "customer_key", "score", "comment").rows() == [
        ("l1", 0, 3.0, "дорого"),
        ("l2", 1, None, None),
        ("s1", 2, None, None),
    ]
    assert found.tables.fingerprints["surveys"] != "f"


def test_the_ledger_wins_and_is_completed_by_the_source(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    """i1 is answered in both, i2 in the source only: its answer and when it was known come from there together."""
    write(
        ledger, invitations=[invitation("i1", "a"), invitation("i2", "b")], answers=[answer("i1", "a", 3.0)]
    )
    later = NOON + timedelta(days=3)
    rows = [
        {
            "invitation_id": name,
            "customer_key": key,
            "metric": "nps",
            "occasion": "web",
            "invited_at": NOON - timedelta(days=1),
            "known_at": NOON,
            "answered_at": later,
            "answer_known_at": later,
            "score": 9.0,
            "sender": "team",
        }
        for name, key in (("i1", 0), ("i2", 1))
    ]
    found = table(merged(workspace, environment, surveys=source(SURVEYS, *rows)), "surveys")
    told = found.select(
        "invitation_id", "invited_at", "occasion", "score", "answer_known_at", "sender"
    ).rows()
    assert told == [
        ("i1", NOON, "relationship", 3.0, NOON + timedelta(days=1), "team"),
        ("i2", NOON, "relationship", 9.0, later, "team"),
    ]


@pytest.mark.parametrize("purpose", ["confirm", "random"])
def test_an_answer_to_a_confirmation_survey_never_becomes_a_feature(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str], purpose: str
) -> None:
    """Neither from the ledger nor when the platform exports it among all others."""
    write(ledger, invitations=[invitation("c1", "a", purpose=purpose)], answers=[answer("c1", "a", 1.0)])
    exported = {"invitation_id": "c1", "customer_key": 0, "metric": "nps", "score": 1.0, "answered_at": NOON}
    wave = {"invitation_id": "w1", "customer_key": 1, "metric": "nps"}
    found = merged(workspace, environment, surveys=source(SURVEYS, exported, wave))
    assert table(found, "surveys")["invitation_id"].to_list() == ["w1"]


def test_a_night_that_decides_takes_them_into_the_ledger_first(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    write(ledger, invitations=[invitation("c1", "a", purpose="confirm")])
    later = NOON + timedelta(days=1)
    exported = {
        "invitation_id": "c1", "customer_key": 0, "metric": "nps", "score": 1.0, "answered_at": later,
        "answer_known_at": later,
    }  # fmt: skip
    loaded = merged(workspace, environment)
    assert adopt(workspace, loaded, environment, NOON).n_new == 0, "without a source of surveys"
    path = workspace.root / "drawn" / "surveys.parquet"
    source(SURVEYS, exported).write_parquet(path)
    tables = LakeTables({**loaded.tables.paths, "surveys": path})
    assert adopt(workspace, LoadedSources(tables, {}, {}), environment, NOON).n_new == 1
    with ledger.reading() as db:
        assert answers(db).select("invitation_id", "score", "known_at").rows() == [("c1", 1.0, later)]


@pytest.mark.parametrize("purpose", ["relationship", "verify", "touchpoint"])
def test_other_answers_do(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str], purpose: str
) -> None:
    write(ledger, invitations=[invitation("w1", "a", purpose=purpose)], answers=[answer("w1", "a", 1.0)])
    assert table(merged(workspace, environment), "surveys")["score"].to_list() == [1.0]


def test_of_several_answers_the_first_given_counts_in_any_order_of_arrival(ledger: Ledger) -> None:
    given = [
        answer("i1", "a", float(score), days=days, known=known)
        for score, days, known in ((2, 1, 5), (9, 2, 3))
    ]
    write(ledger, invitations=[invitation("i1", "a")], answers=given)
    with ledger.reading() as db:
        by_day = {days: survey_rows(db, KEYS, NOON + timedelta(days=days, hours=1)) for days in (2, 3, 5)}
    assert {days: rows["score"].to_list() for days, rows in by_day.items()} == {2: [None], 3: [9.0], 5: [2.0]}


def test_what_is_learned_later_changes_no_earlier_date(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    write(ledger, invitations=[invitation("i1", "a")], treatments=[treatment("t1", "a")])
    before = merged(workspace, environment)
    write(
        ledger, answers=[answer("i1", "a", 2.0, days=1, known=9)], invitations=[invitation("i2", "b", days=9)]
    )
    after = merged(workspace, environment)
    assert after.tables.fingerprints == before.tables.fingerprints
    assert table(after, "surveys").equals(table(before, "surveys"))
    later = merged(workspace, environment, AsOf(date(2026, 5, 10)))
    assert table(later, "surveys")["score"].to_list() == [2.0, None]


def test_treatments_are_merged_by_id_and_completed(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    write(ledger, treatments=[treatment("t1", "a", propensity=0.8), treatment("t2", "b", accepted=True)])
    rows = [
        {
            "treatment_id": name,
            "customer_key": key,
            "offer_id": "other",
            "at": NOON,
            "known_at": NOON,
            "accepted": False,
        }
        for name, key in (("t1", 0), ("t2", 1), ("t3", 2))
    ]
    found = table(merged(workspace, environment, treatments=source(TREATMENTS, *rows)), "treatments")
    assert found.schema == pl.Schema(TREATMENTS)
    assert found.select("treatment_id", "offer_id", "accepted", "propensity").rows() == [
        ("t1", "discount", False, 0.8),
        ("t2", "discount", True, None),
        ("t3", "other", False, None),
    ]


def test_the_offer_that_a_control_would_have_been_made_is_merged_as_all_else(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    ours = [
        treatment("t1", "a", offer_id="control", instead_of="call"),
        treatment("t2", "b", offer_id="control"),
    ]
    write(ledger, treatments=ours)
    rows = [
        {"treatment_id": name, "customer_key": key, "offer_id": "control", "at": NOON, "known_at": NOON,
         "instead_of": "gift"}
        for name, key in (("t1", 0), ("t2", 1), ("t3", 2))
    ]  # fmt: skip
    found = table(merged(workspace, environment, treatments=source(TREATMENTS, *rows)), "treatments")
    assert found.select("treatment_id", "instead_of").rows() == [
        ("t1", "call"),
        ("t2", "gift"),
        ("t3", "gift"),
    ]


def test_a_workspace_without_a_ledger_is_loaded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "churnrisk.toml").write_text("")
    workspace = Workspace.open(tmp_path)
    found = merged(workspace, {}, surveys=source(SURVEYS))
    assert found.tables.fingerprints == {"surveys": "f"}
    assert not (tmp_path / "operations.db").exists()
    Ledger.open(workspace, {}).close()
    assert merged(workspace, {}, surveys=source(SURVEYS)).tables.fingerprints == {"surveys": "f"}


def test_surveys_sent_and_offers_made_elsewhere_are_contacts_too() -> None:
    surveys = source(
        SURVEYS,
        {"invitation_id": "s1", "customer_key": 0, "invited_at": NOON, "channel": "sms"},
        {"invitation_id": "s1", "customer_key": 0, "invited_at": NOON, "metric": "csat"},
        {"invitation_id": "s0", "customer_key": 0, "invited_at": NOON - timedelta(days=9)},
    )
    treatments = source(
        TREATMENTS,
        {"treatment_id": "t1", "customer_key": 1, "offer_id": "discount", "at": NOON},
        {"treatment_id": "t2", "customer_key": 2, "offer_id": "control", "at": NOON},
    )
    found = contacts_of_sources(surveys.lazy(), treatments.lazy(), KEYS, NOON)
    assert found.select("customer_id", "purpose", "source_id").rows() == [
        ("a", "survey", "s1"),
        ("b", "offer", "t1"),
    ]
    assert contacts_of_sources(None, None, KEYS, NOON).is_empty()


def test_features_see_what_the_ledger_knows(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text(
        "customer_id,joined_on\na,2024-01-01\nb,2024-01-01\nc,2024-01-01\n"
    )
    (tmp_path / "churnrisk.toml").write_text(
        '[sources.customers]\npath = "customers.csv"\nextracted_on = 2026-04-01\n[privacy]\nmissing_consent = true\n'
    )
    with Ledger.open(Workspace.open(tmp_path), {}) as ledger:
        write(
            ledger,
            invitations=[invitation("i1", "a"), invitation("c1", "b", purpose="confirm")],
            answers=[answer("i1", "a", 3.0), answer("c1", "b", 1.0)],
        )
    found = churnrisk.open(tmp_path).features("2026-05-09").sort("customer_id")
    assert found["nps_last_score"].to_list() == [3.0, None, None]
    assert found["n_asked_365d"].to_list() == [1, 0, 0]


def test_what_only_the_ledger_tells_is_no_source_that_a_later_night_could_miss(
    ledger: Ledger, workspace: Workspace, environment: dict[str, str]
) -> None:
    write(ledger, treatments=[treatment("t1", "a")])
    alone = merged(workspace, environment).fingerprints
    assert set(alone) == {"ledger_treatments"}
    beside = merged(workspace, environment, treatments=source(TREATMENTS)).fingerprints
    assert set(beside) == {"treatments"}


EXTRACT = """[time]
zone = "UTC"
[sources.customers]
path = "customers.csv"
{more}
[privacy]
missing_consent = true
"""


@pytest.mark.parametrize(
    ("more", "file", "expected"),
    [
        ("extracted_on = 2026-04-30", "customer_id\na\nb\nc\n", (False, True, True)),
        (
            "extracted_on = 2026-04-30",
            "customer_id,may_contact,may_survey,may_use_answers\na,yes,yes,yes\nb,no,no,no\nc,yes,yes,yes\n",
            (False, False, True),
        ),
        (
            "",
            (
                "customer_id,valid_from,monthly_value,may_contact,may_survey,may_use_answers\n"
                "a,2025-01-01,9,yes,yes,yes\na,2026-04-20,12,yes,yes,yes\n"
                "b,2025-01-01,9,no,no,no\nb,2026-04-20,12,no,no,no\n"
                "c,2025-01-01,9,no,no,no\nc,2026-04-20,12,yes,yes,yes\n"
            ),
            (False, True, True),
        ),
    ],
    ids=["no consents in an extract", "consents in an extract", "history"],
)
def test_features_and_contacts_go_by_one_rule(
    tmp_path: Path, more: str, file: str, expected: tuple[bool, ...]
) -> None:
    """On 10 April a refused and b agreed, and c refused ten days before the history says yes again."""
    (tmp_path / "customers.csv").write_text(file)
    (tmp_path / "churnrisk.toml").write_text(EXTRACT.format(more=more))
    workspace = Workspace.open(tmp_path)
    refused = "ac" if "valid_from" in file else "a"
    words = [
        (who, name, NOON - timedelta(days=21), NOON, who not in refused, "file")
        for who in ("a", "b", *(("c",) if "valid_from" in file else ()))
        for name in ("may_contact", "may_survey", "may_use_answers")
    ]
    with Ledger.open(workspace, {}) as ledger:
        with ledger.writing() as db:
            add(db, CONSENTS, pl.DataFrame(words, schema=schema_of(CONSENTS), orient="row"))
        with workspace.engine() as engine:
            loaded = loaded_sources(workspace, engine, Inputs({}, {}, interactive=False), NIGHT)
            seen = consents_in_force(engine, loaded.tables, NIGHT.instant)
            with ledger.reading() as db:
                crm = crm_consents(loaded.tables, NIGHT.instant)
                told = standing_of(ledger, db, workspace.config, crm, NIGHT.instant).consents
            opened = reachable(workspace, loaded.tables, ledger, NIGHT, seen)
    assert tuple(seen["may_use_answers"]) == expected
    assert tuple(told["may_contact"]) == tuple(told["may_survey"]) == expected
    assert tuple(opened["left_out_for"].ne_missing("no_consent")) == expected


def test_the_later_of_two_words_on_the_use_of_answers_counts_for_features_too(ledger: Ledger) -> None:
    """a took it back after the extract, b before it, c gave it back later than the night looks."""
    said = [("a", 3, False), ("b", -3, False), ("c", 3, False), ("c", 9, True)]
    rows = pl.DataFrame(
        [
            (name, "may_use_answers", NOON + timedelta(days=days), NOON + timedelta(days=days), value, "file")
            for name, days, value in said
        ],
        schema=schema_of(CONSENTS),
        orient="row",
    )
    customers = pl.DataFrame(
        {
            "customer_key": [0, 1, 2],
            "version": range(3),
            "valid_from": [None, NOON, None],
            "known_at": [NOON] * 3,
        },
        schema_overrides={"valid_from": pl.Datetime("us")},
    ).with_columns(may_use_answers=pl.lit(value=True), plan=pl.lit("gold"))
    with ledger.writing() as db:
        add(db, CONSENTS, rows)
        words = words_on_answers(db, customers.lazy(), KEYS, NIGHT.instant, "UTC")
    found = merged_customers(customers.lazy(), words).collect()
    assert found.columns == customers.columns
    assert found.select("customer_key", "may_use_answers").rows() == [(0, False), (1, True), (2, False)]
