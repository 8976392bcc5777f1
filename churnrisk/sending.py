"""Sends what waits in the outbox: due messages, one by one, consent looked at once more before each.

It decides when to stop trying for now, and refuses to know what messages say (``ledger``) and how they travel
(``delivery``). What fails is tried again by the next night, or by the console while it runs.
"""

from __future__ import annotations

import os
import secrets as random_names
from collections.abc import Collection, Mapping
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime

import polars as pl

from .config import resolved_secret
from .delivery import Secrets, Sender, sender
from .errors import ConfigError, Fault
from .ledger import Ledger, still_allowed
from .ledger.outbox import Message, claimed, note_try, withdraw
from .logs import logger
from .store import Workspace

AT_ONCE = 10
"""Messages claimed together: tried one by one, all of them within the time that a claim lasts."""

MOST_FAILURES = 5
"""Tries failing in a row after which the other side is taken to be down for now."""

SETTING = "[webhooks] secret"
TRANSACTIONAL = "transactional"
PURPOSES: Mapping[str, str] = {
    "survey.requested": "survey",
    "offer.decided": "offer",
    "promoter.decided": "promoter",
    "proactive.decided": "proactive",
    "transactional.decided": TRANSACTIONAL,
}
"""Messages that contact a customer: they need a consent still, transactional ones at least no suppression. Others
(alerts) go to colleagues."""

NEED_CONSENT = frozenset(kind for kind, purpose in PURPOSES.items() if purpose != TRANSACTIONAL)
"""Messages that wait while nobody can say what the customers' file refuses."""


@dataclass(frozen=True)
class Sent:
    """What became of the messages that were due: delivered, to be tried again, given up, withdrawn for consent."""

    n_sent: int = 0
    n_waiting: int = 0
    n_failed: int = 0
    n_withdrawn: int = 0
    failure: str = ""
    """Code of the last failure."""

    def as_dict(self) -> dict[str, object]:
        """Give plain values for ``--json``."""
        return asdict(self)

    @property
    def sentence(self) -> str:
        """Say what needs somebody's attention; empty when all went out."""
        if not (self.n_waiting or self.n_failed):
            return ""
        return (
            f"messages: {self.n_sent:,} sent, {self.n_waiting:,} wait to be tried again, {self.n_failed:,} given up "
            f"(last: {self.failure})"
        )


def signing_secrets(workspace: Workspace, environment: Mapping[str, str]) -> Secrets | None:
    """Return the secrets that sign messages; None where no endpoint is set.

    Raises ConfigError when there is an endpoint and no secret: an unsigned message could be anybody's.
    """
    settings = workspace.config.webhooks
    if settings.endpoint is None:
        return None
    given = resolved_secret(settings.secret, environment, SETTING)
    if given is None:
        raise ConfigError(
            Fault(
                code="webhook_secret",
                where=SETTING,
                expected='a secret as "env:NAME", since [webhooks] endpoint is set',
                found="none",
                remedy="Set it; both sides must know it.",
            )
        )
    return Secrets.of(given, SETTING)


def send_due(
    ledger: Ledger,
    secrets: Secrets,
    *,
    crm: pl.DataFrame | None = None,
    most: int | None = None,
    by: datetime | None = None,
    held_back: Collection[str] = (),
) -> Sent:
    """Send every message that is due, oldest first, until none is left, or the other side fails several times in a row.

    Parameters
    ----------
    crm : consents as loaded now (`ledger.crm_consents`); without them only those of the ledger are looked at.
    most : messages tried, at most.
    by : the end of the day decided, naive UTC: consents given up to it count where it lies after the clock.
    held_back : kinds of messages that stay where they are, as though they were not due.

    Notes
    -----
    At least once: a process that dies after the other side had a message and before that was noted sends it again under
    the same id. Several senders share the work.
    """
    with ExitStack() as stack:
        return _sent(_Senders(secrets, stack), ledger, crm, most, by, held_back)


class _Senders:
    """One open sender per address: making one, and reaching the other side anew, costs more than a message."""

    def __init__(self, secrets: Secrets, stack: ExitStack) -> None:
        self._secrets, self._stack = secrets, stack
        self._open: dict[str, Sender] = {}

    def to(self, endpoint: str) -> Sender:
        if endpoint not in self._open:
            self._open[endpoint] = self._stack.enter_context(sender(endpoint, self._secrets))
        return self._open[endpoint]


def _sent(  # noqa: PLR0917 - as `send_due`
    senders: _Senders,
    ledger: Ledger,
    crm: pl.DataFrame | None,
    most: int | None,
    by: datetime | None,
    held_back: Collection[str],
) -> Sent:
    name = f"{os.getpid()}-{random_names.token_hex(4)}"
    counts = {"sent": 0, "waiting": 0, "failed": 0, "withdrawn": 0}
    failure, in_a_row, n_left = "", 0, most
    while n_left is None or n_left > 0:
        n_next = AT_ONCE if n_left is None else min(AT_ONCE, n_left)
        batch = claimed(ledger, _now(), sender=name, most=n_next, without=held_back)
        if not batch:
            break
        stopped = _stopped(batch, ledger, crm, max(filter(None, (_now(), by))))
        for message in batch:
            if message.message_id in stopped:
                withdraw(ledger, message.message_id, _now(), reason_code=stopped[message.message_id])
                counts["withdrawn"] += 1
                continue
            outcome, code = _tried(message, ledger, senders, name)
            counts[outcome] += 1
            failure, in_a_row = (failure, 0) if outcome == "sent" else (code, in_a_row + 1)
            if in_a_row >= MOST_FAILURES:
                break
        if in_a_row >= MOST_FAILURES:
            break
        n_left = None if n_left is None else n_left - len(batch)
    found = Sent(counts["sent"], counts["waiting"], counts["failed"], counts["withdrawn"], failure)
    logger().info("messages", **found.as_dict())
    return found


def _tried(message: Message, ledger: Ledger, senders: _Senders, name: str) -> tuple[str, str]:
    sending = senders.to(message.endpoint)
    found = sending.tried(message.message_id, message.body, n_before=message.n_before, now=_now())
    note_try(ledger, message.message_id, _now(), sender=name, failure=found.failure, wait=found.wait)
    if found.is_delivered:
        return "sent", ""
    return ("failed" if found.wait is None else "waiting"), found.failure


def _stopped(batch: list[Message], ledger: Ledger, crm: pl.DataFrame | None, now: datetime) -> dict[str, str]:
    """Return reason by message of those that may not go out any more."""
    frame = pl.DataFrame(
        [(m.message_id, m.customer_id, m.channel, PURPOSES[m.kind]) for m in batch if m.kind in PURPOSES],
        schema=dict.fromkeys(("message_id", "customer_id", "channel", "purpose"), pl.String()),
        orient="row",
    )
    if frame.is_empty():
        return {}
    if crm is not None:  # of a million customers ten are looked at
        crm = crm.filter(pl.col("customer_id").is_in(frame["customer_id"].implode()))
    refused = still_allowed(frame, ledger, now, crm=crm, transactional=(TRANSACTIONAL,)).refused
    return dict(refused.select("message_id", "reason_code").iter_rows())


def _now() -> datetime:
    return datetime.now(UTC).replace(tzinfo=None)
