"""Signatures of messages that go out and come in, as Standard Webhooks defines them.

It decides what a secret must look like, signs and verifies; it refuses to know what messages say and how they travel.
Reference: Standard Webhooks 1.0 (headers ``webhook-id``, ``webhook-timestamp``, ``webhook-signature``; HMAC-SHA256 over
``id.timestamp.body``; a message is refused when its timestamp is more than five minutes off).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ..errors import ConfigError, Fault

PREFIX = "whsec_"
SHORTEST_BYTES, LONGEST_BYTES = 24, 64
"""Length of a secret, as Standard Webhooks has it (192 to 512 bits)."""

ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


class Unverified(Exception):
    """A message that did not come from whoever knows the secret, or came too late; ``reason`` says which, in a word."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, repr=False)
class Secrets:
    """The secrets in force: the first signs what goes out; each of them may have signed what comes in.

    Two at a time let a secret be changed without losing a message: put the new one first, tell the other side, then
    take the old one away. Nothing of them shows in a representation.
    """

    keys: tuple[bytes, ...]

    @classmethod
    def of(cls, text: str, where: str) -> Secrets:
        """Read one or more secrets (``whsec_`` and base64), parted by spaces; ``where`` names the setting.

        Raises ConfigError for one that is no base64 or not 24 to 64 bytes long.
        """
        found = tuple(_key(each, where) for each in text.split())
        if not found:
            raise ConfigError(_fault(where, "nothing"))
        return cls(found)

    def headers(self, message_id: str, body: str, at: datetime) -> dict[str, str]:
        """Return the three headers for ``body``; ``at`` is naive UTC. Every secret in force signs."""
        from standardwebhooks import Webhook

        stamp = at.replace(tzinfo=UTC)
        signed = " ".join(Webhook(key).sign(message_id, stamp, body) for key in self.keys)
        return {ID: message_id, TIMESTAMP: str(int(stamp.timestamp())), SIGNATURE: signed}

    def verified(self, body: bytes, headers: Mapping[str, str]) -> Any:
        """Return the JSON of a message that one of the secrets signed less than five minutes ago.

        Raises Unverified, whose reason is one of: headers, signature, body.
        """
        _check_headers(headers)
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError as error:
            raise Unverified("body") from error
        if not any(_is_signed(key, text, headers) for key in self.keys):
            raise Unverified("signature")
        try:
            return json.loads(text)
        except (json.JSONDecodeError, RecursionError) as error:
            raise Unverified("body") from error


def _check_headers(headers: Mapping[str, str]) -> None:
    if any(not headers.get(name) for name in (ID, TIMESTAMP, SIGNATURE)):
        raise Unverified("headers")


def _is_signed(key: bytes, text: str, headers: Mapping[str, str]) -> bool:
    from standardwebhooks import Webhook, WebhookVerificationError

    told = {name: headers[name] for name in (ID, TIMESTAMP, SIGNATURE)}
    try:
        Webhook(key).verify(text, told, json_parse=False)
    except (WebhookVerificationError, ValueError, OverflowError):
        # the library lets malformed signatures and timestamps through as these (binascii.Error is a ValueError)
        return False
    return True


def _key(secret: str, where: str) -> bytes:
    try:
        text = secret.removeprefix(PREFIX).rstrip("=")
        found = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except binascii.Error as error:
        raise ConfigError(_fault(where, "something else")) from error
    if not SHORTEST_BYTES <= len(found) <= LONGEST_BYTES:
        raise ConfigError(_fault(where, f"one of {len(found)} bytes"))
    return found


def _fault(where: str, found: str) -> Fault:
    return Fault(
        code="webhook_secret",
        where=where,
        expected=f"a secret of {SHORTEST_BYTES} to {LONGEST_BYTES} bytes in base64 after {PREFIX}",
        found=found,
        remedy='Make one: python -c "import base64, secrets; '
        "print('whsec_' + base64.b64encode(secrets.token_bytes(32)).decode())\"",
    )
