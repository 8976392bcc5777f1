"""``churnrisk record``: what came back of surveys, offers and contacts, from a file or frame into the ledger.

It decides the order (customers, file, ledger) and what is told, and refuses to know contracts and tables. Every row
is accounted for: new, changed, known before, without an invitation, or rejected with a reason.
"""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from .at_once import following
from .errors import ContractError, Fault, UsageError
from .inputs import Inputs
from .ledger import Ledger, Transaction, taking
from .ledger.suppressing import lift, liftable, take_suppressions
from .ledger.taking import AnswerRules, Taken
from .recordable import (
    hold_against_the_record,
    leave_empty_aside,
    look_at_suppressions,
    refuse_ahead,
    refuse_taken_ids,
    spell_channels,
    spell_contacts,
)
from .sources import FaultCount, load
from .sources.readiness.answer import counted
from .sources.recorded import RECORDED, RecordedFile, quarantine_place, recorded_file
from .store import Workspace
from .tables.faults import is_harmless

KINDS = ("answers", "outcomes", "treatments", "contacts", "consents", "suppressions", "liftings")
"""What can be recorded."""


class RecordedWarning(UserWarning):
    """What was recorded needs a look: columns passed over, ids of no customer, words that did not count."""


@dataclass(frozen=True)
class Recorded:
    """What became of a file: ``n_new + n_changed + n_known + n_stray + n_rejected = n_read``, always.

    ``n_known`` were in the ledger already and say nothing new; ``n_stray`` are answers to invitations nobody knows.
    """

    kind: str
    n_read: int
    n_new: int
    n_changed: int
    n_known: int
    n_stray: int
    n_rejected: int
    n_alerts: int
    n_matched: int
    """Answers that had come before their invitation was known and now found it; no rows of this file."""
    faults: tuple[FaultCount, ...]
    quarantine: Path | None
    warnings: tuple[str, ...] = ()
    """What was taken and needs a look all the same."""

    @property
    def is_refused(self) -> bool:
        """Whether there were rows and every one was rejected, not merely for repeating another."""
        return 0 < self.n_read == self.n_rejected and any(not is_harmless(each.code) for each in self.faults)

    @property
    def refusal(self) -> ContractError:
        """The error to tell where a file `is_refused`, with every reason."""
        where = f"churnrisk record {self.kind}"
        whole = Fault(
            "all_rows_bad",
            where,
            f"rows as `churnrisk schema {RECORDED}{self.kind}` says",
            f"{self.n_read:,} rows, of which not one can be recorded",
            f"Mend what the reasons say, then record the file again. Rejected rows: {self.quarantine}.",
        )
        reasons = (
            Fault(
                each.code,
                f"{where}, row {each.first_row}",
                "a row that can be recorded",
                f"{each.n_rows:,} that cannot",
                each.reason,
            )
            for each in self.faults
        )
        return ContractError([whole, *reasons])

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {**asdict(self), "quarantine": None if self.quarantine is None else str(self.quarantine)}

    def text(self) -> str:
        """Say it in words."""
        parts = [
            f"{self.n_new:,} new",
            f"{self.n_changed:,} changed" if self.n_changed else "",
            f"{self.n_known:,} known before" if self.n_known else "",
            f"{self.n_stray:,} to invitations nobody knows, kept apart" if self.n_stray else "",
            f"{self.n_rejected:,} rejected" if self.n_rejected else "",
        ]
        lines = [f"{self.kind}: {self.n_read:,} rows read: {', '.join(filter(None, parts))}."]
        if self.n_read and not (self.n_new or self.n_changed or self.n_stray or self.n_rejected):
            lines.append("Nothing has changed: all of it had been recorded before.")
        if self.n_alerts:
            lines.append(f"Alerts raised: {self.n_alerts:,}.")
        if self.n_matched:
            lines.append(f"Earlier answers whose invitation is known by now: {self.n_matched:,}.")
        lines += [
            f"  {fault.n_rows:,} x {fault.code} (first: row {fault.first_row}): {fault.reason}"
            for fault in self.faults
        ]
        lines += [f"Warning: {each}" for each in self.warnings]
        if self.quarantine is not None:
            lines.append(f"Rejected rows: {self.quarantine}")
        return "\n".join(lines)


def record(workspace: Workspace, inputs: Inputs, kind: str, given: object, *, now: datetime) -> Recorded:
    """Record a file or frame.

    Parameters
    ----------
    kind : str
        One of KINDS.
    given : path, str or frame
        CSV or Parquet by its path, or a Polars, Arrow or pandas frame; columns named as `churnrisk schema
        recorded_answers` (``_outcomes`` ...) says.
    now : datetime
        The clock, naive UTC: when rows without known_at became known.

    Raises
    ------
    UsageError
        There is no such kind.
    ContractError
        The file lacks a column, or is no table; SourceMissing when it is not there.
    """
    if kind not in KINDS:
        raise UsageError(
            Fault("kind_unknown", "churnrisk record", "what came back", repr(kind), "Choose one.", KINDS)
        )
    with (
        workspace.held("record"),
        tempfile.TemporaryDirectory(dir=_work(workspace)) as scratch,
        Ledger.open(workspace, inputs.environment) as ledger,
    ):
        file = _read(workspace, inputs, kind, given, Path(scratch))
        refuse_ahead(workspace, inputs, file, now)
        with ledger.writing() as db:
            taken, matched = _taken(db, ledger, workspace, file, now)
        place = quarantine_place(workspace, file)
        faults = file.finished(place)
    return Recorded(
        kind=kind,
        n_read=file.n_read,
        n_new=taken.n_new,
        n_changed=taken.n_changed,
        n_known=taken.n_known,
        n_stray=taken.n_stray,
        n_rejected=sum(fault.n_rows for fault in faults),
        n_alerts=taken.n_alerts + matched.n_alerts,
        n_matched=matched.n_new,
        faults=faults,
        quarantine=place if faults else None,
        warnings=tuple(file.warnings),
    )


def _work(workspace: Workspace) -> Path:
    work = workspace.lake / "work"
    work.mkdir(parents=True, exist_ok=True)
    return work


def _read(workspace: Workspace, inputs: Inputs, kind: str, given: object, scratch: Path) -> RecordedFile:
    if kind == "answers":
        return recorded_file(workspace, kind, given, scratch)
    if kind == "suppressions":
        file = recorded_file(workspace, kind, given, scratch)
        look_at_suppressions(workspace, inputs, file)
        return file
    if kind == "liftings":
        file = recorded_file(workspace, kind, given, scratch)
        spell_channels(workspace, file)
        return file
    wanted = {"offers", *(["treatments"] if kind == "outcomes" else [])}
    with workspace.engine() as engine:
        loaded = load(
            workspace,
            engine,
            environment=inputs.environment,
            frames=inputs.frames,
            only=wanted & {*workspace.config.sources, *inputs.frames},
        )
    paths = loaded.tables.paths
    file = recorded_file(
        workspace,
        kind,
        given,
        scratch,
        customers=pl.read_parquet(paths["keys"])["customer_id"].drop_nulls(),
        offers=pl.read_parquet(paths["offers"])["offer_id"] if "offers" in paths else None,
    )
    if kind == "contacts":
        spell_contacts(workspace, file)
    if "treatments" in paths and kind == "outcomes":
        file.elsewhere = (
            pl.scan_parquet(paths["treatments"])
            .join(pl.scan_parquet(paths["keys"]), on="customer_key")
            .select("treatment_id", "customer_id", "offer_id", "at")
            .collect()
        )
    return file


def _taken(
    db: Transaction, ledger: Ledger, workspace: Workspace, file: RecordedFile, now: datetime
) -> tuple[Taken, Taken]:
    """Write the rows that stand, and put aside those that the ledger shows to be wrong."""
    if file.kind == "answers":
        return _answers(db, workspace, file, now)
    if file.kind == "outcomes":
        file.rows = taking.named_outcomes(file.rows)
    if file.kind == "contacts":
        file.rows = taking.named_contacts(db, file.rows)
    if file.kind == "treatments":
        leave_empty_aside(file, "treatment_id", ("accepted", "root_cause"))
    file.reject_repeated(_KEYS[file.kind])
    refuse_taken_ids(db, file)
    hold_against_the_record(db, workspace, file)
    return _others(db, ledger, workspace, file, now), Taken(0, 0)


_KEYS: dict[str, tuple[str, ...]] = {
    "treatments": ("treatment_id",),
    "outcomes": ("outcome_id",),
    "contacts": ("contact_id",),
    "consents": ("customer_id", "consent", "at", "value"),
    "suppressions": ("customer_id", "channel", "since", "until"),
    "liftings": ("customer_id", "channel", "at"),
}
"""What makes a row the same as another one of its file."""


def _answers(db: Transaction, workspace: Workspace, file: RecordedFile, now: datetime) -> tuple[Taken, Taken]:
    rules, told = AnswerRules.of(workspace.config), following(workspace)
    home = taking.match_strays(db, rules, now, following=told)
    leave_empty_aside(file, "answered_at", ("score", "comment"))
    file.rows = taking.matched(db, file.rows.rename({"customer_id": "given_customer"}))
    of_another = (pl.col("given_customer") != pl.col("customer_id")).fill_null(value=False)
    file.reject(of_another, "invitation_of_another_customer", "customer_id")
    file.reject(taking.not_asked(), "metric_not_asked", "metric")
    file.reject(taking.off_scale(), "score_off_scale", "score")
    file.reject(taking.not_whole(), "score_not_whole", "score")
    file.reject(taking.before_invitation(), "answer_before_invitation", "answered_at")
    file.reject_repeated(["answer_id"])
    refuse_taken_ids(db, file)
    return taking.take_answers(db, file.rows, rules, source="file", now=now, following=told), home


def _others(
    db: Transaction, ledger: Ledger, workspace: Workspace, file: RecordedFile, now: datetime
) -> Taken:
    if file.kind == "treatments":
        return taking.take_treatments(db, file.rows, source="file", now=now)
    if file.kind == "outcomes":
        return taking.take_outcomes(db, file.rows, source="file", now=now)
    if file.kind == "consents":
        return taking.take_consents(db, file.rows, source="file", now=now)
    if file.kind == "suppressions":
        return _suppressed(db, ledger, file)
    if file.kind == "liftings":
        return _lifted(db, ledger, file)
    transactional = frozenset(workspace.config.contacts.transactional)
    return taking.take_contacts(db, file.rows, transactional, source="file", now=now)


def _suppressed(db: Transaction, ledger: Ledger, file: RecordedFile) -> Taken:
    found = take_suppressions(db, ledger, file.rows)
    if found.n_shorter:
        file.warnings.append(
            "Another suppression from the same instant on holds longer, and stands: "
            f"{counted(found.n_shorter, 'row')}."
        )
    if found.n_lifted:
        file.warnings.append(
            f"{counted(found.n_lifted, 'row')} of a suppression that was lifted since, which stays lifted: who asked "
            "again to be left alone is recorded with the later instant as since."
        )
    return Taken(found.n_new, found.n_known, n_changed=found.n_longer)


def _lifted(db: Transaction, ledger: Ledger, file: RecordedFile) -> Taken:
    """End what holds; a row that ends nothing is known, or rejected with where to look."""
    file.rows = liftable(db, ledger, file.rows)
    n_held = file.rows.filter("_is_held").height
    file.reject((pl.col("_n_open") == 0) & ~pl.col("_is_done"), "nothing_to_lift")
    if n_held:
        file.warnings.append(
            f"{counted(n_held, 'row')} of customers who are still held back by a suppression of all channels: leave "
            "channel empty to lift that too."
        )
    n_new = lift(db, file.rows)
    return Taken(n_new, file.rows.height - n_new)
