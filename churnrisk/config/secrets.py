"""Secrets: named in settings as ``env:NAME``, never written there."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import ConfigError, Fault
from .base import CONFIG_NAME


def resolved_secret(value: str | None, environment: Mapping[str, str], where: str) -> str | None:
    """Return ``value``, or what the environment holds when it is ``env:NAME``; raise ConfigError when that is unset."""
    if value is None or not value.startswith("env:"):
        return value
    name = value.removeprefix("env:")
    found = environment.get(name)
    if not found:
        raise ConfigError(
            Fault(
                code="secret_missing",
                where=f"{CONFIG_NAME} {where}",
                expected=f"the environment variable {name}",
                found="not set",
                remedy=f"Set {name} before running.",
            )
        )
    return found
