"""The ledger: writing and reading contacts in bulk on both databases beside SQLAlchemy's executemany, and the walk."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from functools import partial
from pathlib import Path
from time import perf_counter, process_time

import numpy as np
import polars as pl
from sqlalchemy import insert

from churnrisk.config import Cap
from churnrisk.dates import AsOf
from churnrisk.ledger import Ledger
from churnrisk.ledger.database import migrate, opened_engine
from churnrisk.ledger.entries import add, put
from churnrisk.ledger.facts import contacts
from churnrisk.ledger.rules import ContactRules, Standing, walked
from churnrisk.ledger.schema import CONTACTS
from tests.databases import binaries, fresh_schema, postgres_server

Table = tuple[str, Sequence[str], Sequence[Sequence[object]]]

AT = datetime(2026, 5, 1)
NIGHT = AsOf(date(2026, 5, 20))


def tables(full: bool) -> Iterator[Table]:
    """Yield the tables; ``full`` takes a million rows and candidates."""
    n = 1_000_000 if full else 100_000
    head = ("database", "step", "seconds", "of them processor here", "rows")
    yield f"Ledger: {n:,} contacts", head, list(_bulk(n))
    yield f"Contact rules: {n:,} candidates", ("step", "seconds", "processor", "chosen"), [_walk(n)]


def _timed(step: Callable[[], int]) -> tuple[float, float, int]:
    wall, processor = perf_counter(), process_time()
    rows = step()
    return perf_counter() - wall, process_time() - processor, rows


def _bulk(n: int) -> Iterator[tuple[object, ...]]:
    frame = _contacts(n)
    for name, ledger in _ledgers():
        steps: dict[str, Callable[[Ledger], int]] = {
            "executemany (peer)": lambda each: _peer(each, frame),
            "add": lambda each: _written(each, frame, is_new=True),
            "add again": lambda each: _written(each, frame, is_new=True),
            "put a change": lambda each: _written(
                each, frame.with_columns(channel=pl.lit("sms")), is_new=False
            ),
            "read": _read,
        }
        with ledger as opened:
            for step, act in steps.items():
                seconds, processor, rows = _timed(partial(act, opened))
                yield name, step, seconds, processor, rows


def _peer(ledger: Ledger, frame: pl.DataFrame) -> int:
    """Write by executemany and take it back, so that the others write too."""
    with ledger.writing() as db, db.begin_nested() as part:
        db.execute(insert(CONTACTS), frame.to_dicts())
        part.rollback()
    return frame.height


def _written(ledger: Ledger, frame: pl.DataFrame, *, is_new: bool) -> int:
    with ledger.writing() as db:
        return add(db, CONTACTS, frame) if is_new else put(db, CONTACTS, frame, ["channel"])


def _read(ledger: Ledger) -> int:
    with ledger.reading() as db:
        return contacts(db).height


def _ledgers() -> Iterator[tuple[str, Ledger]]:
    with tempfile.TemporaryDirectory() as folder:
        yield "SQLite", _opened(f"sqlite:///{Path(folder) / 'operations.db'}")
    if binaries() is None:
        return
    with postgres_server() as url:
        yield "PostgreSQL", _opened(fresh_schema(url))


def _opened(url: str) -> Ledger:
    engine = opened_engine(url)
    migrate(engine)
    return Ledger(engine, key="bench", zone="UTC")


def _contacts(n: int) -> pl.DataFrame:
    return pl.DataFrame({"contact_id": [f"contact-{number}" for number in range(n)]}).with_columns(
        customer_id=pl.col("contact_id").str.replace("contact", "c"),
        at=pl.lit(AT),
        known_at=pl.lit(AT),
        channel=pl.lit("email"),
        purpose=pl.lit("survey"),
        is_transactional=pl.lit(value=False),
        source=pl.lit("survey"),
        written_at=pl.lit(AT),
    )


def _walk(n: int) -> tuple[object, ...]:
    draws = np.random.default_rng(1)
    ids = pl.Series("customer_id", [f"c-{number}" for number in range(n)])
    candidates = pl.DataFrame({"customer_id": ids, "value": draws.gamma(1, 1, n)}).with_columns(
        kind=pl.lit("survey"),
        subject=pl.lit("nps"),
        purpose=pl.lit("survey"),
        channel=pl.lit("email"),
        cost=pl.lit(0.05),
    )
    earlier = pl.DataFrame({"customer_id": ids.sample(n, with_replacement=True, seed=1)}).with_columns(
        at=pl.lit(AT), channel=pl.lit("email"), purpose=pl.lit("survey"), is_transactional=pl.lit(value=False)
    )
    willing = pl.DataFrame({"customer_id": ids}).with_columns(
        may_survey=pl.lit(value=True), may_contact=pl.lit(value=True)
    )
    rules = ContactRules(
        caps=(Cap(days=30, most=2), Cap(days=90, most=1, purpose="survey")),
        capacity={"email": n // 12},
        budgets={"survey": 0.004 * n},
    )
    known = Standing(earlier, consents=willing)
    seconds, processor, chosen = _timed(
        lambda: walked(candidates, known, rules, NIGHT).filter(pl.col("reason_code") == "chosen").height
    )
    return "walk, with two caps and one earlier contact each", seconds, processor, chosen
