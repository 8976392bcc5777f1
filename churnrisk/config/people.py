"""Settings about people: what may be used of them, and what is shown of them on lists."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field, field_validator

from .base import Settings

CONSENTS: tuple[str, ...] = ("may_survey", "may_contact", "may_use_calls", "may_use_answers")

Language = Literal["en", "ru", "zh"]

LANGUAGES: tuple[str, ...] = get_args(Language)
"""Languages with a file of sentences in churnrisk/messages."""


class PrivacySettings(Settings):
    """Consent and personal data."""

    missing_consent: bool | dict[str, bool] | None = Field(
        None,
        description="What a missing consent value or column means: true, false, or a table per consent column. "
        "Without it a missing consent is an error. In a file with valid_from a value that became empty after a refusal "
        "leaves the refusal in force; a file of one row per customer forgets it.",
    )
    publish_ties: bool = Field(False, description="Write the table of ties between customers to restricted/.")
    name_neighbours: bool = Field(
        False,
        description="Let `churnrisk influence` name a customer's neighbours by id, for those who run it in a terminal. "
        "Reports, lists and pictures never do.",
    )
    hash_key: str | None = Field(
        None,
        description="Key for hashing contacts outside the customer base, as env:NAME. "
        "Without it a random key is made once and kept in lake/.",
    )

    @field_validator("hash_key")
    @classmethod
    def _secret(cls, value: str | None) -> str | None:
        if value is not None and not value.startswith("env:"):
            msg = 'a secret only as "env:NAME"'
            raise ValueError(msg)
        return value

    @field_validator("missing_consent")
    @classmethod
    def _of_consents(cls, value: bool | dict[str, bool] | None) -> bool | dict[str, bool] | None:
        unknown = [name for name in value if name not in CONSENTS] if isinstance(value, dict) else []
        if unknown:
            msg = f"a table of {', '.join(CONSENTS)}"
            raise ValueError(msg)
        return value

    def meaning_of_missing(self, consent: str) -> bool | None:
        """Return what a missing ``consent`` means, None when the settings do not say."""
        if isinstance(self.missing_consent, dict):
            return self.missing_consent.get(consent)
        return self.missing_consent


class ListSettings(Settings):
    """The files that people act on."""

    carry: tuple[str, ...] = Field(
        (),
        description="Your customer columns shown on lists (name, phone, owner): never features, never logged.",
    )
    language: Language = Field("en", description="Language of sentences on lists and in the report.")
    long_tenure_days: int = Field(
        1095,
        ge=1,
        description="Promoters who have been customers for so many days are marked on their list; a guess.",
    )
