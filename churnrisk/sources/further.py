"""Columns of a file to record that its contract does not have: misspelt, of a list that came back, or somebody's own.

It decides which of them are an error and which are passed over with a word, and refuses to know values.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ..errors import Fault
from ..tables.contracts import SourceTable
from ..tables.files import FILES
from .header import FirstRow, nearest
from .raw import RawTable

LISTS: dict[str, frozenset[str]] = {
    name: frozenset(columns.split())
    for name, columns in {
        "at_risk": "customer_id position band risk value at_stake spillover_value at_stake_around offer_id offer_name "
        "offer_why treatment_id reasons changed as_of",
        "survey_requests": "invitation_id customer_id metric occasion channel language purpose why as_of",
        "offers": "treatment_id customer_id offer_id offer_name channel net_value low high spillover_value cost why "
        "priority as_of",
        "proactive": "customer_id programme message channel purpose as_of",
    }.items()
} | {"promoters": frozenset(column.name for column in FILES["promoters"].columns)}
"""The columns of the lists that are handed out: people hand them back with columns added."""

OURS_AGAIN = "crm_"
"""What stands before a carried column that is called like one of ours."""


class Further(NamedTuple):
    """What is to be told of columns beyond the contract: as errors, or as warnings."""

    faults: list[Fault]
    warnings: list[str]


def further_columns(table: SourceTable, raw: RawTable, *, carry: Iterable[str]) -> Further:
    """Judge the columns that the contract does not have.

    A list that came back is known by half of its columns: then the others of it are expected, however alike they are
    to a name of the contract. So are the columns of [lists] carry. A name nearly one of the contract that the file
    lacks is a misspelling; what else there is, is passed over and told, by its position where it may be data.
    """
    where, names = raw.name, raw.column_names()
    carried = {each for name in carry for each in (name, OURS_AGAIN + name)}
    row = FirstRow(names, frozenset({*table.columns, *carried}), raw.first_records(), needs_known=True)
    unknown = [name for name in names if name and name not in table.columns and name not in carried]
    handed_back = {name for own in LISTS.values() if 2 * len(own & {*names}) >= len(own) for name in own}
    missing = [name for name in table.columns if name not in names]
    meant = {name: nearest(name, missing) for name in unknown if name not in handed_back}
    faults = [
        Fault(
            "column_unknown",
            where,
            f"columns of {table.name}",
            row.called(name),
            f"Did you mean {ours!r}? Rename the column, or remove it; nothing was recorded.",
            tuple(table.columns),
        )
        for name, ours in meant.items()
        if ours is not None
    ]
    any_list = frozenset().union(*LISTS.values())
    strange = [name for name, ours in meant.items() if ours is None and name not in any_list]
    told = ", ".join(map(row.called, strange))
    warnings = (
        [f"{where}: columns that {table.name} does not have were passed over: {told}."] if strange else []
    )
    return Further(faults, warnings)
