"""Contracts of the tables that are files and nothing else: what a list or a command writes for people to act on.

It decides their columns for documentation and `churnrisk schema`, and refuses to know how a value is reached. They are
not published: no audit, no history that BI reads.
"""

from __future__ import annotations

from dataclasses import dataclass

from .published import BANDS, NO_CALLS, PublishedColumn, PublishedTable


@dataclass(frozen=True)
class FileTable(PublishedTable):
    """One file: ``path`` relative to the workspace."""

    path: str = ""

    @property
    def place(self) -> str:
        """Where the file lies, relative to the workspace."""
        return self.path

    @property
    def kind(self) -> str:
        """What stands behind the name in headings."""
        return "file"


_AS_OF = PublishedColumn("as_of", "date", "", "The day whose end is the limit of what was known.")
_CUSTOMER = PublishedColumn("customer_id", "text", "", "The customer, as the user's own systems name them.")
_POSITION = PublishedColumn("position", "integer", "rank", "1 is first.", low=1)

PROMOTERS = FileTable(
    "promoters",
    "Promoters to ask for a referral or a public word: those who may be contacted, by promoter_influence, as many as "
    "[team] promoter_capacity; of a decided date those whom it was decided to approach, less those who may not be "
    "contacted any more. The columns of [lists] carry stand first. Not written without surveys.",
    ("position",),
    (
        _CUSTOMER,
        _POSITION,
        PublishedColumn(
            "promoter_influence",
            "number",
            "customer's currency",
            "What their staying spares around them (network.promoter_influence), to the cent.",
            f"{NO_CALLS}; or it would point at somebody; or nobody around is of known value",
            low=0,
        ),
        PublishedColumn(
            "is_long_tenured",
            "boolean",
            "",
            "Customer for [lists] long_tenure_days or more.",
            "the day of joining is not known",
        ),
        PublishedColumn(
            "tenure_days", "integer", "days", "Days since joining.", "the day of joining is not known", low=0
        ),
        PublishedColumn(
            "value",
            "number",
            "customer's currency",
            "Expected margin, as in scores, to the cent.",
            "the customer's monthly_value is not known",
        ),
        PublishedColumn("band", "text", "", "Word for the risk, as in scores.", words=BANDS),
        PublishedColumn(
            "programme",
            "text",
            "",
            "What to approach them for ([promoters] programmes); no column where the date was not decided.",
        ),
        PublishedColumn(
            "channel",
            "text",
            "",
            "How they are approached, as it was decided; no column where the date was not decided.",
        ),
        _AS_OF,
    ),
    path="lists/YYYY-MM-DD/promoters.csv and .xlsx",
)

SPREAD = FileTable(
    "spread",
    "Whom energy from a list of seeds reaches along the ties, as `churnrisk spread` writes it: customers of the date "
    "whose calls may be used and who are no hubs. Predictive, not causal. Few may read it: it names people.",
    ("position",),
    (
        _AS_OF,
        _POSITION,
        _CUSTOMER,
        PublishedColumn(
            "activation",
            "number",
            "energy",
            "Energy at rest in the end, a seed's own included; of all people together as much as the seeds had.",
            low=0,
        ),
        PublishedColumn("received", "number", "energy", "The part of it that came along ties.", low=0),
        PublishedColumn("is_seed", "boolean", "", "The customer is on the list of seeds."),
    ),
    path="restricted/spread/as_of=YYYY-MM-DD/part-0.parquet, or where --output says",
    is_restricted=True,
)

FILES: dict[str, FileTable] = {table.name: table for table in (PROMOTERS, SPREAD)}
"""Every table that is only a file, by name."""
