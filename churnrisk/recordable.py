"""Which rows of a file can be recorded: held against the clock, the settings, the customers and the ledger.

It decides what is put aside and why, and refuses to write into the ledger.
"""

from __future__ import annotations

from datetime import datetime

import polars as pl

from .errors import ChurnriskError, did_you_mean
from .inputs import Inputs
from .ledger import Transaction, against
from .ledger.permission import spelled
from .ledger.repeated import ID_OF, beside_taken_ids
from .ledger.rules.standing import CALL, nearly, purposes_of
from .sources import load, runs_ahead
from .sources.readiness.answer import counted
from .sources.recorded import RecordedFile
from .store import Workspace
from .tables.contracts.recorded import FITS

_HAPPENED = {
    "answers": ("answered_at", "answer_in_the_future"),
    "outcomes": ("at", "outcome_in_the_future"),
    "treatments": ("at", "treatment_in_the_future"),
    "contacts": ("at", "contact_in_the_future"),
    "consents": ("at", "consent_in_the_future"),
    "liftings": ("at", "lifting_in_the_future"),
}
"""What must have happened to be recorded. A suppression may begin later, as for the weeks of a holiday."""


def refuse_ahead(workspace: Workspace, inputs: Inputs, file: RecordedFile, now: datetime) -> None:
    """Put aside what has not happened yet, unless the sources are simulated and run ahead of the clock too."""
    column, code = _HAPPENED.get(file.kind, ("since", ""))
    n_ahead = file.rows.filter(against.ahead(column, now)).height
    if not n_ahead or _simulated(workspace, inputs, now):
        return
    if code:
        file.reject(against.ahead(column, now), code, column)
        return
    file.warnings.append(
        f"{counted(n_ahead, 'row')} whose since has not come yet, recorded: until then nothing is held back by them."
    )


def _simulated(workspace: Workspace, inputs: Inputs, now: datetime) -> bool:
    """Say whether the sources run ahead of the clock; while one is out of order the clock counts."""
    try:
        with workspace.engine() as engine:
            loaded = load(workspace, engine, environment=inputs.environment, frames=inputs.frames)
    except ChurnriskError:
        return False
    return runs_ahead(loaded, workspace.config.time.day_zone, now)


def spell_channels(workspace: Workspace, file: RecordedFile, remedy: str = "") -> None:
    """Write channels as the settings spell them, and put aside rows whose channel nobody knows."""
    known = tuple(dict.fromkeys((*workspace.config.contacts.channels, CALL)))
    file.rows = file.rows.with_columns(spelled(known))
    given = file.rows["channel"].drop_nulls().unique()
    available = " ".join(filter(None, [f"There are: {', '.join(known)}.", remedy]))
    meant = {name: did_you_mean(name, known) or available for name in given}
    told = pl.col("channel").replace_strict(meant, default="", return_dtype=pl.String)
    is_unknown = pl.col("channel").is_not_null() & ~pl.col("channel").is_in(known)
    file.reject(is_unknown, "unknown_channel", "channel", remedy=told)


def spell_contacts(workspace: Workspace, file: RecordedFile) -> None:
    """Write channels and purposes as caps do; count purposes that are nearly one of ours, which no cap would count."""
    ours = purposes_of(workspace.config)
    known = (*ours, *workspace.config.contacts.transactional)
    file.rows = file.rows.with_columns(_channel="channel", _purpose="purpose").with_columns(
        spelled(known, "purpose")
    )
    spell_channels(workspace, file, "A channel of its own is named in [contacts] channels.")
    near = [name for name in file.rows["purpose"].unique() if name not in known and nearly(name, known)]
    n_near = file.rows.filter(pl.col("purpose").is_in(near)).height
    if n_near:
        file.warnings.append(
            f"{counted(n_near, 'row')} for a purpose that is nearly one of ours and counts for no cap of it: there "
            f"are {', '.join(known)}."
        )


def look_at_suppressions(workspace: Workspace, inputs: Inputs, file: RecordedFile) -> None:
    """Put aside rows whose channel nobody knows; count ids of no customer: they may come, or be misspelled."""
    spell_channels(workspace, file)
    try:
        with workspace.engine() as engine:
            loaded = load(workspace, engine, environment=inputs.environment, frames=inputs.frames, only=set())
    except ChurnriskError as error:  # nobody's wish to be left alone waits for a source to be mended
        file.warnings.append(
            f"The customers cannot be read ({error.codes[0]}): whether ids are theirs is not known."
        )
        return
    customers = pl.read_parquet(loaded.tables.paths["keys"])["customer_id"].drop_nulls()
    n_unknown = file.rows.filter(~pl.col("customer_id").is_in(customers.implode())).height
    if n_unknown:
        file.warnings.append(
            f"{counted(n_unknown, 'row')} with an id that is no customer's today, recorded as they may come: look for "
            "other spellings, such as lost zeros in front."
        )


def leave_empty_aside(file: RecordedFile, needed: str, told: tuple[str, ...]) -> None:
    """Put aside rows of a list that came back in which nothing was filled in, and those that lack what is needed."""
    says_nothing = pl.all_horizontal(pl.col(name).is_null() for name in (needed, *told))
    file.reject(says_nothing, "nothing_filled_in")
    if file.kind == "treatments":
        file.reject(pl.col(needed).is_null() & pl.col("offer_id").is_null(), "no_offer_made", needed)
    file.reject(pl.col(needed).is_null(), "required_missing", needed)


def refuse_taken_ids(db: Transaction, file: RecordedFile) -> None:
    """Put aside what stands under an id that is on record and says something else: it would be lost."""
    if file.kind in ID_OF:
        file.rows = beside_taken_ids(db, file.kind, file.rows)
        file.reject(pl.col("_comment_later"), "comment_came_later", ID_OF[file.kind])
        file.reject(pl.col("_id_taken"), "id_taken", ID_OF[file.kind])
        file.rows = file.rows.drop("_id_taken", "_comment_later")


def hold_against_the_record(db: Transaction, workspace: Workspace, file: RecordedFile) -> None:
    """Put aside what names a treatment and cannot be true of it."""
    if file.kind == "treatments":
        file.rows = against.beside_treatments(db, file.rows)
        file.reject(against.not_on_record(), "treatment_not_on_record", "treatment_id")
        file.reject(against.of_another_customer(), "treatment_of_another_customer", "customer_id")
        file.reject(against.of_another_offer(), "treatment_of_another_offer", "offer_id")
        file.reject(against.withdrawn(), "treatment_withdrawn", "treatment_id")
        file.reject(against.before_record(workspace.config.time.day_zone), "treatment_before_record", "at")
        file.rows = against.completed(file.rows)
        for code, holds in FITS.items():
            file.reject(~holds, code)
        n_overruled = file.rows.filter(against.overruled()).height
        if n_overruled:
            file.warnings.append(
                "Another propensity, campaign_id, instead_of or left_alone than is on record was given and passed "
                f"over: {counted(n_overruled, 'row')}."
            )
    if file.kind == "outcomes":
        file.rows = against.beside_treatments(db, file.rows, file.elsewhere)
        file.reject(against.of_no_treatment(), "unknown_treatment", "treatment_id")
        file.reject(against.of_another_customer(), "treatment_of_another_customer", "customer_id")
        file.reject(
            against.before_treatment(workspace.config.time.day_zone), "outcome_before_treatment", "at"
        )
