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
from .errors import ChurnriskError, ContractError, Fault, UsageError, did_you_mean
from .inputs import Inputs
from .ledger import Ledger, Transaction, against, taking
from .ledger.permission import spelled
from .ledger.repeated import ID_OF, beside_taken_ids
from .ledger.rules.standing import CALL, nearly, purposes_of
from .ledger.suppressing import take_suppressions
from .ledger.taking import AnswerRules, Taken
from .sources import FaultCount, load, runs_ahead
from .sources.readiness.answer import counted
from .sources.recorded import RECORDED, RecordedFile, quarantine_place, recorded_file
from .store import Workspace
from .tables.contracts.recorded import FITS
from .tables.faults import is_harmless

KINDS = ("answers", "outcomes", "treatments", "contacts", "consents", "suppressions")
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
        _refuse_ahead(workspace, inputs, file, now)
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
        _look_at_suppressions(workspace, inputs, file)
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
        _spell_contacts(workspace, file)
    if "treatments" in paths and kind == "outcomes":
        file.elsewhere = (
            pl.scan_parquet(paths["treatments"])
            .join(pl.scan_parquet(paths["keys"]), on="customer_key")
            .select("treatment_id", "customer_id", "offer_id", "at")
            .collect()
        )
    return file


_HAPPENED = {
    "answers": ("answered_at", "answer_in_the_future"),
    "outcomes": ("at", "outcome_in_the_future"),
    "treatments": ("at", "treatment_in_the_future"),
    "contacts": ("at", "contact_in_the_future"),
    "consents": ("at", "consent_in_the_future"),
}
"""What must have happened to be recorded. A suppression may begin later, as for the weeks of a holiday."""


def _refuse_ahead(workspace: Workspace, inputs: Inputs, file: RecordedFile, now: datetime) -> None:
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


def _spell_channels(workspace: Workspace, file: RecordedFile, remedy: str = "") -> None:
    """Write channels as the settings spell them, and put aside rows whose channel nobody knows."""
    known = tuple(dict.fromkeys((*workspace.config.contacts.channels, CALL)))
    file.rows = file.rows.with_columns(spelled(known))
    given = file.rows["channel"].drop_nulls().unique()
    available = " ".join(filter(None, [f"There are: {', '.join(known)}.", remedy]))
    meant = {name: did_you_mean(name, known) or available for name in given}
    told = pl.col("channel").replace_strict(meant, default="", return_dtype=pl.String)
    is_unknown = pl.col("channel").is_not_null() & ~pl.col("channel").is_in(known)
    file.reject(is_unknown, "unknown_channel", "channel", remedy=told)


def _spell_contacts(workspace: Workspace, file: RecordedFile) -> None:
    """Write channels and purposes as caps do; count purposes that are nearly one of ours, which no cap would count."""
    ours = purposes_of(workspace.config)
    known = (*ours, *workspace.config.contacts.transactional)
    file.rows = file.rows.with_columns(_channel="channel", _purpose="purpose").with_columns(
        spelled(known, "purpose")
    )
    _spell_channels(workspace, file, "A channel of its own is named in [contacts] channels.")
    near = [name for name in file.rows["purpose"].unique() if name not in known and nearly(name, known)]
    n_near = file.rows.filter(pl.col("purpose").is_in(near)).height
    if n_near:
        file.warnings.append(
            f"{counted(n_near, 'row')} for a purpose that is nearly one of ours and counts for no cap of it: there "
            f"are {', '.join(known)}."
        )


def _look_at_suppressions(workspace: Workspace, inputs: Inputs, file: RecordedFile) -> None:
    """Put aside rows whose channel nobody knows; count ids of no customer: they may come, or be misspelled."""
    _spell_channels(workspace, file)
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
        _leave_empty_aside(file, "treatment_id", ("accepted", "root_cause"))
    file.reject_repeated(_KEYS[file.kind])
    _refuse_taken_ids(db, file)
    _hold_against_the_record(db, workspace, file)
    return _others(db, ledger, workspace, file, now), Taken(0, 0)


def _leave_empty_aside(file: RecordedFile, needed: str, told: tuple[str, ...]) -> None:
    """Put aside rows of a list that came back in which nothing was filled in, and those that lack what is needed."""
    says_nothing = pl.all_horizontal(pl.col(name).is_null() for name in (needed, *told))
    file.reject(says_nothing, "nothing_filled_in")
    if file.kind == "treatments":
        file.reject(pl.col(needed).is_null() & pl.col("offer_id").is_null(), "no_offer_made", needed)
    file.reject(pl.col(needed).is_null(), "required_missing", needed)


def _refuse_taken_ids(db: Transaction, file: RecordedFile) -> None:
    """Put aside what stands under an id that is on record and says something else: it would be lost."""
    if file.kind in ID_OF:
        file.rows = beside_taken_ids(db, file.kind, file.rows)
        file.reject(pl.col("_id_taken"), "id_taken", ID_OF[file.kind])
        file.rows = file.rows.drop("_id_taken")


def _hold_against_the_record(db: Transaction, workspace: Workspace, file: RecordedFile) -> None:
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


_KEYS: dict[str, tuple[str, ...]] = {
    "treatments": ("treatment_id",),
    "outcomes": ("outcome_id",),
    "contacts": ("contact_id",),
    "consents": ("customer_id", "consent", "at", "value"),
    "suppressions": ("customer_id", "channel", "since", "until"),
}
"""What makes a row the same as another one of its file."""


def _answers(db: Transaction, workspace: Workspace, file: RecordedFile, now: datetime) -> tuple[Taken, Taken]:
    rules, told = AnswerRules.of(workspace.config), following(workspace)
    home = taking.match_strays(db, rules, now, following=told)
    _leave_empty_aside(file, "answered_at", ("score", "comment"))
    file.rows = taking.matched(db, file.rows.rename({"customer_id": "given_customer"}))
    of_another = (pl.col("given_customer") != pl.col("customer_id")).fill_null(value=False)
    file.reject(of_another, "invitation_of_another_customer", "customer_id")
    file.reject(taking.not_asked(), "metric_not_asked", "metric")
    file.reject(taking.off_scale(), "score_off_scale", "score")
    file.reject(taking.not_whole(), "score_not_whole", "score")
    file.reject(taking.before_invitation(), "answer_before_invitation", "answered_at")
    file.reject_repeated(["answer_id"])
    _refuse_taken_ids(db, file)
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
    transactional = frozenset(workspace.config.contacts.transactional)
    return taking.take_contacts(db, file.rows, transactional, source="file", now=now)


def _suppressed(db: Transaction, ledger: Ledger, file: RecordedFile) -> Taken:
    found = take_suppressions(db, ledger, file.rows)
    if found.n_shorter:
        file.warnings.append(
            "Another suppression from the same instant on holds longer, and stands: "
            f"{counted(found.n_shorter, 'row')}."
        )
    return Taken(found.n_new, found.n_known, n_changed=found.n_longer)
