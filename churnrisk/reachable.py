"""Whom the contact rules let be contacted as of a date, for nights and for those who look at a night again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import polars as pl

from .dates import AsOf
from .inputs import Inputs
from .ledger import Ledger, Transaction, crm_consents, standing_of
from .ledger.holdouts import PERMANENT, held_out
from .ledger.merged import contacts_of_sources
from .ledger.rules import ContactRules, Standing
from .ledger.rules.refusals import probed
from .ledger.rules.standing import CALL
from .store import Workspace
from .tables.lake import LakeTables


@contextmanager
def ledger_there(workspace: Workspace, inputs: Inputs) -> Iterator[Ledger | None]:
    """Open the ledger where there is one."""
    if not Ledger.is_there(workspace):
        yield None
        return
    with Ledger.open(workspace, inputs.environment) as ledger:
        yield ledger


def reachable(
    workspace: Workspace, tables: LakeTables, ledger: Ledger | None, as_of: AsOf, consents: pl.DataFrame
) -> pl.DataFrame:
    """Return the consents with ``may_contact`` false also for hold-outs and whomever the contact rules let rest.

    ``left_out_for`` says why, as a code of the contact rules, null where they may be contacted: who may not be
    contacted at all is told so, also while they rest. Lists are for acting, so nobody is on them whom a call would
    reach against the rules.
    """
    config, ids = workspace.config, consents["customer_id"]
    if ledger is None:
        is_out = held_out(ids, PERMANENT, config.holdout.share, config.holdout.salt)
        return _closed(consents, pl.when(is_out).then(pl.lit("permanent_hold_out")))
    with ledger.reading() as db:
        standing = standing_tonight(workspace, tables, ledger, db, as_of)
    told = probed(ids, CALL, CALL, standing=standing, rules=ContactRules.of(config), as_of=as_of).rename(
        {"reason": "_rule"}
    )
    # what the ledger says of consents stands beside the customers' file here as it does for surveys and offers
    allowed = standing.consents.select("customer_id", "may_contact")
    joined = (
        consents.drop("may_contact")
        .join(allowed, on="customer_id", how="left", maintain_order="left")
        .join(told, on="customer_id", how="left", maintain_order="left")
        .select(*consents.columns, "_rule")
    )
    return _closed(joined, pl.col("_rule")).drop("_rule")


def _closed(consents: pl.DataFrame, rule: pl.Expr) -> pl.DataFrame:
    refuses = pl.when(~pl.col("may_contact").fill_null(value=False)).then(pl.lit("no_consent"))
    told = consents.with_columns(left_out_for=pl.coalesce(refuses, rule))
    return told.with_columns(may_contact=pl.col("left_out_for").is_null())


def standing_tonight(  # noqa: PLR0917 - what is known of a night, once
    workspace: Workspace,
    tables: LakeTables,
    ledger: Ledger,
    db: Transaction,
    as_of: AsOf,
    arms: pl.DataFrame | None = None,
) -> Standing:
    """Return where customers stand with us tonight; what was decided of the date before is not looked at."""
    config = workspace.config
    lazily = {
        name: pl.scan_parquet(tables.paths[name]) if tables.has(name) else None
        for name in ("surveys", "treatments")
    }
    since = as_of.days_before(ContactRules.of(config).look_back_days + 1)
    elsewhere = contacts_of_sources(
        lazily["surveys"], lazily["treatments"], pl.read_parquet(tables.paths["keys"]), since
    )
    return standing_of(
        ledger,
        db,
        config,
        crm_consents(tables, as_of.instant),
        as_of.instant,
        arms=arms,
        elsewhere=elsewhere,
        deciding=as_of.day,
    )
