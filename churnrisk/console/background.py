"""What the console does by itself while it runs: once a minute it sends what is due and brings strays home."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field

from ..errors import ChurnriskError
from ..logs import logger

EVERY_S = 60.0
PATIENCE_S = 40.0
"""So long the end waits for a message on its way; a lease brings back what was left."""


@dataclass
class Rounds:
    """Does ``work`` at once and then every so many seconds, in a thread of its own, until it is stopped.

    A round that fails (a ledger that is busy, a server that is down) is told by its code, and the next one comes.
    """

    work: Callable[[], None]
    every_s: float = EVERY_S
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._thread = threading.Thread(target=self._run, name="churnrisk-rounds", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the round that is going on, or after a while without it."""
        self._stopped.set()
        if self._thread is not None:
            self._thread.join(PATIENCE_S)

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self.work()
            except ChurnriskError as error:
                logger().warning("round", codes=",".join(error.codes))
            self._stopped.wait(self.every_s)
