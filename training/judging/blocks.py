"""What each kind of data adds: the same learner on CRM, then with usage, surveys and the network added, same test rows.

It decides which groups of features make a block, and refuses to know single features.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import polars as pl
import polars.selectors as cs

from churnrisk import metrics
from churnrisk.bundle import Provenance

from ..fit import FitSettings, Fitted, fitted_model
from ..rows import Rows
from .subject import Floats, Subject, subject_of

BLOCKS: tuple[tuple[str, frozenset[str]], ...] = (
    ("CRM", frozenset({"profile", "price", "service", "digital"})),
    ("+ usage", frozenset({"usage", "calls"})),
    ("+ surveys", frozenset({"satisfaction"})),
    ("+ network", frozenset({"network"})),
)
"""Blocks in the order in which they are added, and the groups of features in each. Own groups come last."""

OWN = "+ your own"

BLOCK_COLUMNS = {
    "block": pl.String(),
    "n_features": pl.Int64(),
    **{f"auc{end}": pl.Float64() for end in ("", "_low", "_high")},
    **{f"auc_gained{end}": pl.Float64() for end in ("", "_low", "_high")},
    "top_decile_lift": pl.Float64(),
    **{f"top_decile_lift_gained{end}": pl.Float64() for end in ("", "_low", "_high")},
    "log_loss": pl.Float64(),
    **{f"log_loss_gained{end}": pl.Float64() for end in ("", "_low", "_high")},
    "empc": pl.Float64(),
    **{f"empc_gained{end}": pl.Float64() for end in ("", "_low", "_high")},
}


@dataclass(frozen=True, eq=False)
class Ablated:
    """The table, and the risk that CRM data alone give the tested rows (in the order of the subject), None without."""

    table: pl.DataFrame
    crm_risk: Floats | None


def blocks(learned: Rows, tested: Rows, settings: FitSettings, *, full: Fitted | None = None) -> Ablated:
    """Return the figures of one model per block, fitted on ``learned`` with all blocks up to it, judged on ``tested``.

    Every model chooses its own number of trees and its own calibrator, as training does. ``full`` spares the fit of the
    last, where it is the same. ``_gained`` is the gain over the block before, in the same resamples of customers, more
    than 0 = better, of the log loss too; null in the first row. Blocks without a feature have no row.

    Columns: :data:`BLOCK_COLUMNS`.
    """
    rows: list[dict[str, object]] = []
    crm: Floats | None = None
    before: Subject | None = None
    for name, columns, is_last in _nested(learned, settings.group_of):
        gone = [column for column in learned.frame.columns if column not in columns]
        model = full if is_last and full is not None else fitted_model(learned.without(gone), settings)
        frame = tested.frame if model is full else tested.without(gone).frame
        risk = model.bundle((), Provenance()).predict(frame)["risk"].to_numpy()
        now = subject_of(tested, risk, seed=settings.seed)
        crm = now.risk if name == BLOCKS[0][0] else crm
        rows.append(
            {"block": name, "n_features": len(model.features), **_figures(now), **_gains(now, before)}
        )
        before = now
    table = pl.DataFrame(rows, schema=BLOCK_COLUMNS).with_columns(cs.float().fill_nan(None))
    return Ablated(table, crm)


def _nested(rows: Rows, group_of: Callable[[str], str]) -> Iterator[tuple[str, set[str], bool]]:
    """Yield each block with the columns of all blocks up to it, and whether it is the last."""
    known = frozenset().union(*(groups for _, groups in BLOCKS))
    parts = [(name, {c for c in rows.frame.columns if group_of(c) in groups}) for name, groups in BLOCKS]
    parts.append((OWN, {c for c in rows.frame.columns if group_of(c) not in known}))
    filled = [(name, columns) for name, columns in parts if columns]
    reached: set[str] = set()
    for position, (name, columns) in enumerate(filled, start=1):
        reached |= columns
        yield name, set(reached), position == len(filled)


def _figures(subject: Subject) -> dict[str, float]:
    found = metrics.bootstrap_intervals(
        subject.left, subject.risk, subject.weight, customer=subject.customer, seed=subject.seed
    )
    auc = found["auc"]
    return {
        "auc": auc.value,
        "auc_low": auc.low,
        "auc_high": auc.high,
        **{name: found[name].value for name in ("top_decile_lift", "log_loss", "empc")},
    }


def _gains(now: Subject, before: Subject | None) -> dict[str, float]:
    if before is None:
        return {}
    found = metrics.paired_differences(
        now.left, now.risk, before.risk, now.weight, customer=now.customer, seed=now.seed
    )
    return {
        f"{name}_gained{end}": each if math.isfinite(each) else math.nan
        for name, gain in found.items()
        for end, each in (("", gain.value), ("_low", gain.low), ("_high", gain.high))
    }
