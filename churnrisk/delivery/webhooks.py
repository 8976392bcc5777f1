"""Messages that go out over HTTP: one signed request each, and what came of it.

It decides what counts as delivered, what is tried again at once and when the next try is due; it refuses to know what
the messages say and where they are kept. Delivery is at least once: whoever receives them drops a ``webhook-id`` that
came before.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from ..errors import ConfigError, Fault
from .signatures import Secrets

if TYPE_CHECKING:
    import httpx2

TIMEOUT_S = 15.0
"""Seconds in which the other side must answer (Standard Webhooks advises 15 to 30)."""

WAITS = tuple(timedelta(seconds=each) for each in (5, 300, 1_800, 7_200, 18_000, 36_000, 50_400))
"""Time from one try to the next, the schedule that Standard Webhooks shows; after the last the message has failed."""

N_TRIES = len(WAITS) + 1
LONGEST_WAIT = timedelta(days=1)
"""A ``Retry-After`` beyond it is cut to it."""

QUICK_TRIES = 3
"""Requests in one try when the connection itself fails (a name not found yet, a server starting)."""

GONE = 410
TRY_LATER = frozenset({429, 503})
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Tried:
    """What came of one try.

    ``failure`` is empty when it was delivered, else a code for run_log without anything of the message: ``http_500``,
    ``timeout``, ``no_connection``, ``gone``. ``wait`` is the time to the next try, None when there will be none.
    """

    failure: str = ""
    wait: timedelta | None = None

    @property
    def is_delivered(self) -> bool:
        """Whether the other side said that it has the message."""
        return not self.failure


class Sender:
    """Sends to one address; open it with :func:`sender`."""

    def __init__(self, client: httpx2.Client, url: str, secrets: Secrets) -> None:
        self._client = client
        self._url = url
        self._secrets = secrets

    def tried(self, message_id: str, body: str, *, n_before: int, now: datetime) -> Tried:
        """Send one message once and say what came of it.

        Parameters
        ----------
        message_id : stable: the same message has the same id in every try, so that the receiver can drop a second one.
        body : JSON, as it was first made.
        n_before : how often it was tried before.
        now : naive UTC, for the signature.
        """
        import httpx2

        headers = {"content-type": "application/json", **self._secrets.headers(message_id, body, now)}
        try:
            answer = self._posted(body.encode(), headers)
        except httpx2.TimeoutException:
            return Tried("timeout", _wait(n_before))
        except httpx2.TransportError:
            return Tried("no_connection", _wait(n_before))
        if answer.is_success:
            return Tried()
        if answer.status_code == GONE:
            return Tried("gone")
        wait = _wait(n_before)
        if wait is not None and answer.status_code in TRY_LATER:
            wait = max(wait, _retry_after(answer.headers.get("retry-after", ""), now))
        return Tried(f"http_{answer.status_code}", wait)

    def _posted(self, body: bytes, headers: dict[str, str]) -> httpx2.Response:
        import httpx2
        import stamina

        # a request that never reached anybody may be repeated at once; one that may have been read waits its turn
        for attempt in stamina.retry_context(
            on=httpx2.ConnectError, attempts=QUICK_TRIES, timeout=TIMEOUT_S, wait_initial=0.2, wait_max=2.0
        ):
            with attempt:
                return self._client.post(self._url, content=body, headers=headers)
        raise AssertionError  # pragma: no cover - the last attempt raises


@contextmanager
def sender(url: str, secrets: Secrets, where: str = "[webhooks] endpoint") -> Iterator[Sender]:
    """Open a sender to ``url``; redirections are not followed, and proxies of the environment are honoured.

    Raises ConfigError for an address that is not https; plain http goes to this machine only.
    """
    import httpx2

    _check_address(url, where)
    with httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False) as client:
        yield Sender(client, url, secrets)


def _check_address(url: str, where: str) -> None:
    parts = urlsplit(url)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
    if not is_safe or not parts.hostname or parts.username is not None:
        raise ConfigError(
            Fault(
                code="webhook_endpoint",
                where=where,
                expected="an address that begins with https:// (http:// only for this machine), without a user in it",
                found=f"one that begins with {parts.scheme}://" if parts.scheme else "something else",
                remedy="Give the address that your survey or campaign platform shows for incoming webhooks.",
            )
        )


def _wait(n_before: int) -> timedelta | None:
    return WAITS[n_before] if n_before < len(WAITS) else None


def _retry_after(told: str, now: datetime) -> timedelta:
    """Return the time that a ``Retry-After`` header asks for (RFC 9110: seconds, or a date); 0 for anything else."""
    if told.strip().isdigit():
        return min(timedelta(seconds=min(int(told), 10**6)), LONGEST_WAIT)
    try:
        until = parsedate_to_datetime(told)
    except ValueError:
        return timedelta(0)
    aware = until if until.tzinfo else until.replace(tzinfo=UTC)
    return min(max(aware - now.replace(tzinfo=UTC), timedelta(0)), LONGEST_WAIT)
