"""What the console sends to customers stands by the customers' file that was loaded last, read once, or waits."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

from churnrisk.console.consents import FileConsents
from churnrisk.console.intake import Intake
from churnrisk.console.serving import rounds_of
from churnrisk.delivery import Secrets
from churnrisk.ledger import Ledger, facts
from churnrisk.ledger.entries import add
from churnrisk.ledger.outbox import message, messages
from churnrisk.ledger.schema import OUTBOX
from churnrisk.sources.kept import USED
from churnrisk.store import Workspace
from tests.hooks import server

SECRETS = Secrets((bytes(32),))
NOW = datetime.now(UTC).replace(tzinfo=None)
LONG_AGO = NOW - timedelta(days=400)


def loaded(lake: Path, name: str, *rows: tuple[str, bool, datetime], at_s: float) -> Path:
    """Put a version of the customers' file in place, as loading does: id, may_contact and may_survey, from when on."""
    ids = sorted({row[0] for row in rows})
    folder = lake / "tables" / "customers" / name
    folder.mkdir(parents=True, exist_ok=True)
    pl.DataFrame({"customer_key": range(len(ids)), "customer_id": ids}).write_parquet(lake / "keys.parquet")
    pl.DataFrame(
        {
            "customer_key": [ids.index(row[0]) for row in rows],
            "version": [sum(row[0] == other[0] for other in rows[:nth]) + 1 for nth, row in enumerate(rows)],
            "known_at": [row[2] for row in rows],
            "valid_from": [row[2] for row in rows],
            "may_survey": [row[1] for row in rows],
            "may_contact": [row[1] for row in rows],
        }
    ).write_parquet(folder / "part-0.parquet")
    (folder / USED).touch()
    os.utime(folder / USED, (at_s, at_s))
    return folder / "part-0.parquet"


def said(found: pl.DataFrame | None) -> dict[str, bool]:
    assert found is not None
    return dict(found.select("customer_id", "may_contact").iter_rows())


def test_the_version_loaded_last_counts_and_is_read_once(tmp_path: Path) -> None:
    consents = FileConsents(tmp_path)
    loaded(tmp_path, "a", ("anna", True, LONG_AGO), at_s=1)
    first = consents.at(NOW)
    assert said(first) == {"anna": True}
    assert consents.at(NOW + timedelta(days=3)) is first
    loaded(tmp_path, "b", ("anna", True, LONG_AGO), ("anna", False, NOW - timedelta(days=1)), at_s=2)
    assert said(consents.at(NOW)) == {"anna": False}
    os.utime(tmp_path / "tables" / "customers" / "a" / USED, (3, 3))
    assert said(consents.at(NOW)) == {"anna": True}, "the older extract was put back"


def test_a_version_that_loading_made_and_then_refused_is_not_what_was_loaded_last(tmp_path: Path) -> None:
    consents = FileConsents(tmp_path)
    loaded(tmp_path, "a", ("anna", False, LONG_AGO), at_s=1)
    refused = loaded(tmp_path, "b", ("anna", True, LONG_AGO), at_s=2)
    refused.with_name(USED).unlink()
    assert said(consents.at(NOW)) == {"anna": False}


def test_a_refusal_that_is_dated_ahead_counts_when_its_time_has_come(tmp_path: Path) -> None:
    consents, when = FileConsents(tmp_path), NOW + timedelta(hours=2)
    loaded(tmp_path, "a", ("anna", True, LONG_AGO), ("anna", False, when), at_s=1)
    before = consents.at(NOW)
    assert said(before) == {"anna": True}
    assert consents.at(when) is before
    assert said(consents.at(when + timedelta(seconds=1))) == {"anna": False}


def test_where_nothing_was_loaded_or_nothing_can_be_read_nobody_can_say_and_the_log_tells_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    consents = FileConsents(tmp_path)
    assert consents.at(NOW) is None
    assert consents.at(NOW) is None
    part = loaded(tmp_path, "a", ("anna", True, LONG_AGO), at_s=1)
    assert consents.at(NOW) is not None
    loaded(tmp_path, "b", ("anna", True, LONG_AGO), at_s=2).write_bytes(b"half a file")
    assert consents.at(NOW) is None, "what the version before said is not what counts"
    part.unlink()
    (tmp_path / "tables" / "customers" / "b" / "part-0.parquet").unlink()
    assert consents.at(NOW) is None
    logged = capsys.readouterr().err
    assert logged.count("customers_not_loaded") == 2
    assert logged.count("customers_unreadable") == 1
    assert "anna" not in logged


@pytest.fixture
def intake(tmp_path: Path) -> Iterator[Intake]:
    (tmp_path / "churnrisk.toml").write_text(
        '[webhooks]\nendpoint = "https://desk.example"\nsecret = "env:HOOK"\n'
    )
    workspace = Workspace.open(tmp_path)
    with Ledger.open(workspace, {}) as ledger:
        yield Intake(workspace, ledger)


def put_in(ledger: Ledger, url: str, **kinds: str) -> None:
    """Put one message per customer into the outbox."""
    rows = [
        message(kind, f"about-{who}", {}, endpoint=url, now=NOW, customer_id=who, channel="email")
        for who, kind in kinds.items()
    ]
    with ledger.writing() as db:
        add(db, OUTBOX, messages(rows))


def states(ledger: Ledger) -> dict[str, str]:
    with ledger.reading() as db:
        rows = facts.whole(db, OUTBOX)
    state = (
        pl.when(pl.col("sent_at").is_not_null())
        .then(pl.lit("sent"))
        .otherwise(pl.col("last_error").fill_null("waits"))
    )
    return dict(rows.select("customer_id", state.alias("state")).iter_rows())


def test_a_refusal_of_the_file_loaded_since_stops_a_message_and_others_go_out(intake: Intake) -> None:
    lake = intake.workspace.lake
    loaded(lake, "a", ("anna", True, LONG_AGO), ("bo", True, LONG_AGO), at_s=1)
    with server(lambda *_: (204, {})) as url:
        work = rounds_of(intake, SECRETS)
        work()
        loaded(
            lake, "b", ("anna", True, LONG_AGO), ("anna", False, NOW - timedelta(hours=1)), ("bo", True, LONG_AGO),
            at_s=2,
        )  # fmt: skip
        put_in(intake.ledger, url, anna="offer.decided", bo="survey.requested")
        work()
    assert states(intake.ledger) == {"anna": "no_consent", "bo": "sent"}


def test_without_a_file_messages_to_customers_wait_and_those_that_need_no_consent_go_out(
    intake: Intake,
) -> None:
    kinds = {
        "anna": "offer.decided",
        "bo": "survey.requested",
        "carl": "proactive.decided",
        "dan": "promoter.decided",
        "eve": "transactional.decided",
        "fay": "alert.raised",
    }
    with server(lambda *_: (204, {})) as url:
        put_in(intake.ledger, url, **kinds)
        work = rounds_of(intake, SECRETS)
        work()
        waits = dict.fromkeys(("anna", "bo", "carl", "dan"), "waits")
        assert states(intake.ledger) == waits | {"eve": "sent", "fay": "sent"}
        loaded(intake.workspace.lake, "a", *((who, True, LONG_AGO) for who in kinds), at_s=1)
        work()
    assert set(states(intake.ledger).values()) == {"sent"}
