"""The leakage audit: finds columns that know the outcome, says by what evidence and what to do, and stops the run.

It decides what is evidence and what is a remedy. How much a column tells is counted in ``single``, joins are compared
in ``joins``. What is accepted all the same is the user's word in ``[training] accept_leaks``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from churnrisk.bundle import matrix
from churnrisk.errors import Fault, GateRefused
from churnrisk.metrics import auc
from churnrisk.tables.lake import ATTRIBUTE_PREFIX, Attribute

from .folds import customer_folds
from .rates import coarser
from .rows import Rows
from .screening import screened
from .single import Alone, told_alone
from .trees import refitted_trees, settings_for, threads_for

KNOWS_AUC = 0.90
"""A column that alone tells leavers from stayers so well knows the outcome. On the data sets at hand no honest column
of a customer passes 0.75, and whole models reach 0.85 and 0.92 (docs, science)."""

KNOWS_AUC_LOW = 0.80
"""... if the lower end of its interval lies here, so that a handful of leavers refuses nothing."""

SUSPECT_AUC = 0.80
"""From here a column is looked at when the next one tells much less: in a table of few columns an honest one may stand
alone (a plan that drives people away has 0.76 in a small test world)."""

SUSPECT_GAP = 0.6
"""So much less must the next column set leavers apart, in standard deviations: 0.75 against 0.60, 0.87 against 0.75
(judgement). Two normal curves so far apart have that AUC; see ``apart``."""

MOST_SUSPECTS = 5
"""Columns above such a gap; more of them are a subject, not a leak."""

JUMP = 0.05
"""AUC that a suspect carries in the model, and that a later reading may add (science, section 5)."""

TREES = 60
"""Trees of the small models that tell what a suspect carries."""

FEWEST = 10
"""Leavers, and stayers, without whom nothing is audited: no column can be shown to know anything."""

OWN_COLUMNS = ("monthly_value", "language")
"""Columns of customers that are no attributes, and yet the user's own word."""


@dataclass(frozen=True)
class Leak:
    """One feature that knows more than it may, or only looks so: ``evidence`` in figures, ``remedy`` in settings.

    ``code``: knows_outcome, read_late, reads_future, latest_join. What is not ``is_fatal`` is told as a warning.
    """

    feature: str
    code: str
    evidence: str
    remedy: str
    is_fatal: bool = True

    def fault(self) -> Fault:
        """Return it as a fault of the audit."""
        return Fault(
            code=f"leak_{self.code}",
            where=f"feature {self.feature}",
            expected="a value that was known before anything of the outcome was",
            found=self.evidence,
            remedy=self.remedy,
        )

    def sentence(self) -> str:
        """Return it as one line for a warning."""
        return f"leak audit: {self.feature}: {self.evidence}"


@dataclass(frozen=True)
class Origins:
    """Where features come from: ``table`` = labelled or customers; ``source_of`` names the source of a feature.

    ``by_design``: sources whose silence *is* leaving (churn by inactivity): what they tell alone proves nothing.
    """

    table: str
    attributes: tuple[Attribute, ...]
    source_of: Callable[[str], str]
    own: frozenset[str] = frozenset()
    by_design: frozenset[str] = frozenset()

    def may_tell_much(self, feature: str) -> bool:
        """Say whether a column of this origin tells much without knowing the outcome."""
        if feature.startswith(ATTRIBUTE_PREFIX) or feature in OWN_COLUMNS:
            return False
        return bool(self.by_design)

    def remedy_of_constant(self, feature: str) -> str:
        """Say what to do about an attribute that is no constant."""
        name = {attribute.column: attribute.name for attribute in self.attributes}[feature]
        return f'Take "{name}" out of [sources.customers] constant: it does change. {self.remedy(feature)}'

    def remedy(self, feature: str) -> str:
        """Say what to do about a feature that knows the outcome."""
        word = f'If it was known before, say so: [training] accept_leaks = ["{feature}"].'
        theirs = {attribute.column: attribute.name for attribute in self.attributes}
        if feature in theirs:
            return f'Leave it out: [sources.{self.table}] exclude = ["{theirs[feature]}"]. {word}'
        if feature in OWN_COLUMNS:
            return (
                f"Leave {feature} out of [sources.{self.table}] columns, or map one known at the time. {word}"
            )
        if feature in self.own:
            return (
                f"In your own feature read only what happened and was known before the as-of instant. {word}"
            )
        source = self.source_of(feature)
        return f"Say when its facts became known: known_at in columns, or delay_days, of [sources.{source}]. {word}"


def knowing(rows: Rows, origins: Origins, *, seed: int, threads: int | None = None) -> tuple[Leak, ...]:
    """Return the columns that know the outcome, by what they tell alone and what they carry in a model.

    Parameters
    ----------
    rows : rows that a model would learn from.
    origins : where their columns come from, for the remedies.
    seed, threads : of the small models that are fitted when a column is suspect.

    Notes
    -----
    A column knows the outcome when (1) unknown values, or some of its values, settle for half of all leavers that they
    leave and for others that they stay; (2) alone it has AUC 0.90 or more; (3) alone it has 0.80 or more, sets leavers
    apart by 0.6 standard deviations more than the next, and a model without it and its like loses more than 0.05.
    """
    if min(rows.n_leavers, rows.n_stayers) < FEWEST:
        return ()
    alone = tuple(found for found in told_alone(rows) if not origins.may_tell_much(found.feature))
    reasons = {found.feature: reason for found in alone if (reason := _reason(found))}
    others = [found for found in alone if found.feature not in reasons]
    suspects = _above_the_gap(others)
    if not reasons and not suspects:
        return ()
    used = screened(rows, lambda _: "")
    is_learned = {feature.name for feature in used.features} | {
        name for name, reason in used.dropped.items() if reason.startswith("duplicate")
    }
    if suspects:
        carried = _carried([found.feature for found in suspects], rows, set(reasons), seed, threads)
        for found in suspects if carried > JUMP else ():
            reasons[found.feature] = (
                f"alone it has AUC {found.auc:.3f}, far above all others, and a model without "
                f"{'it' if len(suspects) == 1 else 'such columns'} loses {carried:.3f}"
            )
    return tuple(
        Leak(found.feature, "knows_outcome", reasons[found.feature], origins.remedy(found.feature))
        for found in alone
        if found.feature in reasons and found.feature in is_learned
    )


def refuse_leaks(leaks: Sequence[Leak], accepted: Sequence[str], names: Mapping[str, str]) -> tuple[str, ...]:
    """Raise GateRefused (exit 14) with every leak that is not accepted; return the rest as warnings.

    ``names`` are the user's names of columns by feature: either may be accepted.
    """
    word = set(accepted)
    is_accepted = {
        leak.feature for leak in leaks if not word.isdisjoint({leak.feature, names.get(leak.feature, "")})
    }
    faults = [leak.fault() for leak in leaks if leak.is_fatal and leak.feature not in is_accepted]
    if faults:
        raise GateRefused(faults)
    warnings = [
        f"{leak.sentence()} (accepted: [training] accept_leaks)" if leak.is_fatal else leak.sentence()
        for leak in leaks
    ]
    found = {name for leak in leaks for name in (leak.feature, names.get(leak.feature, ""))}
    warnings += [
        f"[training] accept_leaks names {name}, in which the audit finds nothing"
        for name in accepted
        if name not in found
    ]
    return tuple(warnings)


def apart(auc: float) -> float:
    """Return how many standard deviations apart two normal curves lie that have this AUC.

    >>> round(apart(0.75) - apart(0.6), 2)
    0.6
    """
    from scipy.stats import norm

    return float(np.sqrt(2) * norm.ppf(auc))


def _reason(found: Alone) -> str:
    if found.sure:
        return found.sure
    if found.auc >= KNOWS_AUC and found.low >= KNOWS_AUC_LOW:
        return f"alone it tells leavers from stayers with AUC {found.auc:.3f} (at least {found.low:.3f})"
    return ""


def _above_the_gap(alone: Sequence[Alone]) -> tuple[Alone, ...]:
    """The few columns that tell much more than all others; none when there is no such gap."""
    for position, (this, following) in enumerate(pairwise(alone[: MOST_SUSPECTS + 1])):
        if this.auc < SUSPECT_AUC:
            return ()
        if this.low > following.auc and apart(this.auc) - apart(following.auc) > SUSPECT_GAP:
            return tuple(alone[: position + 1])
    return ()


def _carried(names: Sequence[str], rows: Rows, known: set[str], seed: int, threads: int | None) -> float:
    """Return the out-of-fold AUC that a small model loses without ``names``; none of ``known`` is in either."""
    plain = rows.without(known)
    folds = customer_folds(rows.customer, rows.left, 3, salt=f"leak-{seed}")
    with_them = _out_of_fold(plain, folds, seed, threads)
    return with_them - _out_of_fold(plain.without(names), folds, seed, threads)


def _out_of_fold(rows: Rows, folds: NDArray[np.int8], seed: int, threads: int | None) -> float:
    features = coarser(screened(rows, lambda _: "").features)
    if not features:
        return 0.5
    encoded = matrix(rows.frame, features)
    score = np.zeros(len(rows.left))
    for fold in np.unique(folds):
        held = folds == fold
        settings = settings_for(rows.n_rarer, seed=seed, threads=threads_for(encoded.size, threads))
        trees = refitted_trees(
            encoded[~held], rows.left[~held], None, features=features, settings=settings, n_trees=TREES
        )
        score[held] = trees.score(encoded[held])
    return auc(rows.left, score)
