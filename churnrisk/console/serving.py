"""``churnrisk console``: opens the ledger, refuses to start without a secret, and serves until it is stopped."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import UTC, datetime

from ..config import resolved_secret
from ..delivery import Secrets
from ..errors import ConfigError, Fault, UsageError
from ..ledger import Ledger
from ..sending import NEED_CONSENT, SETTING, send_due
from ..store import Workspace
from .app import application
from .consents import FileConsents
from .described import ANSWERS_PATH
from .intake import Intake


def serve(
    workspace: Workspace,
    environment: Mapping[str, str],
    *,
    host: str,
    port: int,
    tell: Callable[[str], None] = lambda _: None,
) -> None:
    """Take answers on ``host`` and ``port`` (0: any), and send what is due once a minute, until interrupted.

    ``tell`` is told where, once somebody may call.

    Raises
    ------
    ConfigError
        There is no secret, or the ledger cannot be opened.
    UsageError
        The address cannot be listened on.
    """
    import uvicorn

    secrets = required_secrets(workspace, environment)
    with _listening(host, port) as bound, Ledger.open(workspace, environment) as ledger:
        intake = Intake(workspace, ledger)
        app = application(intake, secrets, work=rounds_of(intake, secrets))
        hide_what_customers_wrote()
        shown = f"[{host}]" if ":" in host else host
        tell(f"http://{shown}:{bound.getsockname()[1]}{ANSWERS_PATH}")
        # no access log: addresses of callers are nobody's business; no default log settings: ours stand
        server = uvicorn.Server(uvicorn.Config(app, access_log=False, log_config=None, server_header=False))
        with suppress(KeyboardInterrupt):
            server.run(sockets=[bound])


def _listening(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        fault = Fault(
            code="address_taken",
            where="--host, --port",
            expected="an address of this machine that nobody listens on",
            found=f"{host}, {port}: {error.strerror}",
            remedy="Choose another one, or stop what listens there.",
        )
        raise UsageError(fault) from error


def required_secrets(workspace: Workspace, environment: Mapping[str, str]) -> Secrets:
    """Return the secrets that must sign what comes in; raise ConfigError where there is none."""
    given = resolved_secret(workspace.config.webhooks.secret, environment, SETTING)
    if given is None:
        raise ConfigError(
            Fault(
                code="webhook_secret",
                where=SETTING,
                expected='a secret as "env:NAME": without one anybody could send answers',
                found="none",
                remedy="Set it; the survey platform must know it too.",
            )
        )
    return Secrets.of(given, SETTING)


def rounds_of(intake: Intake, secrets: Secrets) -> Callable[[], None]:
    """Return what is done once a minute: strays brought home; messages sent, where there is an endpoint.

    To customers only while it is known what the customers' file says of them.
    """
    has_endpoint = intake.workspace.config.webhooks.endpoint is not None
    consents = FileConsents(intake.workspace.lake)

    def work() -> None:
        now = datetime.now(UTC).replace(tzinfo=None)
        intake.match_strays(now)
        if has_endpoint:
            crm = consents.at(now)
            send_due(intake.ledger, secrets, crm=crm, held_back=() if crm is not None else NEED_CONSENT)

    return work


class _KindOnly(logging.Filter):
    """Leaves of an error its kind: tracebacks of databases repeat what was to be written."""

    def filter(self, record: logging.LogRecord) -> bool:
        if record.exc_info is not None and record.exc_info[0] is not None:
            record.msg, record.args = f"{record.exc_info[0].__name__} in a request", ()
            record.exc_info = record.exc_text = None
        return True


def hide_what_customers_wrote() -> None:
    """Keep the server's own log free of what messages hold."""
    log = logging.getLogger("uvicorn.error")
    if not any(isinstance(each, _KindOnly) for each in log.filters):
        log.addFilter(_KindOnly())
