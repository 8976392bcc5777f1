"""As-of against latest join: what attributes of customers tell as they were read, and as they stand today.

It decides which reading of an attribute knew more than it may, and refuses to know models.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.dates import AsOf
from churnrisk.tables.lake import Attribute, LakeTables
from features.attributes import Kind, typed_attributes

from .leakage import FEWEST, JUMP, Leak, Origins
from .rows import Rows, rows_of
from .single import STANDARD_ERRORS, Alone, told_alone


def late_readings(
    tables: LakeTables,
    features: pl.DataFrame,
    labels: pl.DataFrame,
    day: AsOf,
    *,
    known_by: AsOf,
    origins: Origins,
) -> tuple[Leak, ...]:
    """Return what the attributes of one snapshot owe to versions of customers that came later.

    Parameters
    ----------
    tables : the validated tables; versions of customers are read.
    features, labels : of the snapshot, by customer_key.
    day : the snapshot's as-of date; ``known_by`` the day of training.

    Notes
    -----
    Fatal: an attribute declared constant tells more, by over 0.05 of AUC and beyond chance, of the customers whose
    first version came only after the date than of those who had one: it was written with the outcome in sight. Told as
    a warning: the latest version of an attribute tells more by over 0.05 than the version of the date, which is the
    one that is read: so the attribute knows the outcome afterwards, and the as-of join keeps it out.
    """
    attributes = [attribute for attribute in tables.attributes if attribute.column in features.columns]
    if not attributes:
        return ()
    names = [attribute.column for attribute in attributes]
    rows = rows_of([(str(day), features.select("customer_key", "customer_id", *names), labels)])
    if min(rows.n_leavers, rows.n_stayers) < FEWEST:
        return ()
    versions = _versions(tables, names, known_by)
    # the order of `rows` is that of the features of labelled customers
    keys = features.join(labels, on="customer_key", how="inner", maintain_order="left").select("customer_key")
    constants = [attribute.column for attribute in attributes if attribute.is_constant]
    was_late = _was_late(versions, keys, day)
    changing = [attribute for attribute in attributes if not attribute.is_constant]
    return (
        *_read_late(rows, constants, was_late, origins),
        *_latest(rows, changing, versions, keys, origins),
    )


def _versions(tables: LakeTables, names: Sequence[str], known_by: AsOf) -> pl.DataFrame:
    scan = pl.scan_parquet(tables.paths["customers"])
    known = scan.filter(pl.col("known_at") < known_by.instant)
    return known.select("version", "customer_key", "known_at", "valid_from", *names).collect()


def _was_late(versions: pl.DataFrame, keys: pl.DataFrame, day: AsOf) -> NDArray[np.bool_]:
    """Whether nothing of the customer was known before the date."""
    in_time = pl.col("known_at") < day.instant
    in_time &= (pl.col("valid_from") < day.instant).fill_null(value=True)
    known = versions.filter(in_time).select("customer_key").unique()
    return ~keys["customer_key"].is_in(known["customer_key"].implode()).to_numpy()


def _read_late(
    rows: Rows, names: Sequence[str], was_late: NDArray[np.bool_], origins: Origins
) -> Iterator[Leak]:
    late, in_time = rows.where(was_late), rows.where(~was_late)
    if not names or min(late.n_leavers, late.n_stayers, in_time.n_leavers, in_time.n_stayers) < FEWEST:
        return
    after = _by_name(_only(late, names))
    for name, before in _by_name(_only(in_time, names)).items():
        if name not in after:
            continue
        jump = after[name].auc - before.auc
        error = np.hypot(after[name].auc - after[name].low, before.auc - before.low) / STANDARD_ERRORS
        if jump > JUMP and jump > STANDARD_ERRORS * error:
            evidence = (
                f"of {len(late.left):,} customers its value became known only after the date, and there it has AUC "
                f"{after[name].auc:.3f}, against {before.auc:.3f} where it was known in time"
            )
            yield Leak(name, "read_late", evidence, origins.remedy_of_constant(name))


def _latest(
    rows: Rows,
    attributes: Sequence[Attribute],
    versions: pl.DataFrame,
    keys: pl.DataFrame,
    origins: Origins,
) -> Iterator[Leak]:
    if not attributes:
        return
    names = [attribute.column for attribute in attributes]
    newest = versions.sort("version").unique("customer_key", keep="last")
    joined = keys.join(
        newest.select("customer_key", *names), on="customer_key", how="left", maintain_order="left"
    )
    kinds: dict[str, Kind] = {
        name: "category" if rows.frame.schema[name] == pl.String else "number" for name in names
    }
    typed = typed_attributes(joined, attributes, kinds).frame.select(names)
    differing = [name for name in names if not typed[name].equals(rows.frame[name], null_equal=True)]
    if not differing:
        return
    then = _by_name(_only(rows, differing))
    now = _by_name(replace(rows, frame=typed.select(differing)))
    for name in differing:
        was = then[name].auc if name in then else 0.5
        if name in now and now[name].auc - was > JUMP and now[name].low > was:
            evidence = (
                f"as it stands today it has AUC {now[name].auc:.3f}, as of the date {was:.3f}: it knows the outcome "
                "afterwards. It is read as of the date, so nothing leaks here"
            )
            yield Leak(name, "latest_join", evidence, origins.remedy(name), is_fatal=False)


def _only(rows: Rows, names: Sequence[str]) -> Rows:
    return replace(rows, frame=rows.frame.select(names))


def _by_name(rows: Rows) -> dict[str, Alone]:
    return {alone.feature: alone for alone in told_alone(rows)}
