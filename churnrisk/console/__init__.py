"""The web side: an endpoint that takes answers of survey platforms, and a sender that works while it runs.

It decides what comes in over HTTP and what is told of it, and refuses to know what answers mean: the ledger does.
Nothing of a customer is logged or told back.
"""

from .app import application
from .serving import serve

__all__ = ["application", "serve"]
