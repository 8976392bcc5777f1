"""Does a tie persist? Learns from the user's own data how much each fact about a tie says, and judges it out of time.

It decides the cuts, the regression and when the default strength is kept; it refuses to know where the result lies.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from churnrisk.config import ChurnSettings
from churnrisk.dates import AsOf
from churnrisk.errors import Fault, ModelUnfit
from churnrisk.metrics.paired import Difference, auc_difference
from churnrisk.store import Engine
from churnrisk.tables.lake import LakeTables
from features import calls_missing
from features.running import prepared, ties_in
from features.ties.blend import DEFAULT_WEIGHTS, blend_terms, blended_strength
from features.ties.rules import TieRules

Floats = NDArray[np.float64]

PERSISTENCE_DAYS = 28
"""A tie persists when there is a contact in the next so many days: four whole weeks."""

PRIOR_DEVIATION = 0.5
"""Standard deviation of what a term may add to the default, in log-odds per standard deviation of the term. A
judgement: small enough that a hundred ties change little, and nothing against ten thousand."""

FEWEST = 50
"""Ties that persist, and ties that end, needed at each cut; with fewer nothing is learned. A judgement."""

MOST_TIES = 500_000
"""Ties learned from at most, every k-th of all in their order: the weights do not get better by more."""

MOST_STEPS = 50


@dataclass(frozen=True)
class PersistenceFit:
    """Learned weights of tie strength and how they compare with the default on a later cut.

    ``weights`` are those to use: learned when they rank better there (the interval excludes 0), else the default.
    """

    learned: Mapping[str, float]
    auc: float
    default_auc: float
    difference: Difference
    n_learned: int
    n_judged: int
    persisting_share: float
    cuts: tuple[str, str]
    days: int

    @property
    def is_better(self) -> bool:
        """Whether the learned weights rank better than the default out of time."""
        return self.difference.low > 0

    @property
    def weights(self) -> dict[str, float] | None:
        """The learned weights if they are better; None = keep the default."""
        return dict(self.learned) if self.is_better else None

    def figures(self) -> dict[str, float]:
        """Give every figure by name."""
        return {
            "auc": self.auc,
            "auc_default": self.default_auc,
            "auc_gain": self.difference.value,
            "auc_gain_low": self.difference.low,
            "auc_gain_high": self.difference.high,
            "persisting_share": self.persisting_share,
            "n_learned": float(self.n_learned),
            "n_judged": float(self.n_judged),
            **{f"weight_{name}": value for name, value in self.learned.items()},
        }

    def text(self) -> str:
        """Tell what was learned beside the default, for a terminal."""
        judged = f"{self.n_judged:,}, {self.persisting_share:.1%} with a contact in the next {self.days} days"
        lines = [
            f"Ties as of {self.cuts[0]} learned from ({self.n_learned:,}), as of {self.cuts[1]} judged ({judged})",
            "",
            f"  {'term':<16}{'learned':>10}{'default':>10}",
        ]
        lines += [
            f"  {name:<16}{value:>10.3f}{DEFAULT_WEIGHTS[name]:>10.3f}"
            for name, value in self.learned.items()
        ]
        lines += [
            "",
            f"  AUC {self.auc:.4f} against {self.default_auc:.4f} of the default: {_told(self.difference)}",
            "The learned strength is used from the next training on."
            if self.is_better
            else "Not better beyond chance: the default strength is kept.",
        ]
        return "\n".join(lines)


def _told(difference: Difference) -> str:
    return f"{difference.value:+.4f} [{difference.low:+.4f}, {difference.high:+.4f}]"


def fit_persistence(
    engine: Engine,
    tables: LakeTables,
    churn: ChurnSettings,
    as_of: AsOf,
    *,
    rules: TieRules,
    days: int = PERSISTENCE_DAYS,
) -> PersistenceFit:
    """Learn the weights of tie strength from whether ties persist, with what is known as of ``as_of``.

    Ties are those of two past dates: ``2 * days`` back to learn from, ``days`` back to judge on; the contacts that tell
    whether they persist do not overlap. Consents are those of ``as_of``.

    Raises SourceMissing when there are no calls, or none in the days that make a tie at either date, and ModelUnfit
    when too few ties persist or end there.
    """
    learn_at, judge_at = as_of.shifted(-2 * days), as_of.shifted(-days)
    found = [
        labelled_ties(engine, tables, churn, cut, days, consent_as_of=as_of, rules=rules)
        for cut in (learn_at, judge_at)
    ]
    learned = learned_weights(_thinned(found[0]), learn_at)
    judged, persists = found[1], found[1]["persists"].to_numpy()
    scores = [
        judged.select(blended_strength(weights, judge_at.instant_us)).to_series().to_numpy()
        for weights in (learned, DEFAULT_WEIGHTS)
    ]
    from churnrisk.metrics import auc

    return PersistenceFit(
        learned,
        auc(persists, scores[0]),
        auc(persists, scores[1]),
        auc_difference(persists, scores[0], scores[1]),
        found[0].height,
        judged.height,
        float(persists.mean()),
        (str(learn_at), str(judge_at)),
        days,
    )


def labelled_ties(
    engine: Engine,
    tables: LakeTables,
    churn: ChurnSettings,
    cut: AsOf,
    days: int,
    *,
    consent_as_of: AsOf,
    rules: TieRules,
) -> pl.DataFrame:
    """Return the ties as of ``cut`` with ``persists``: a contact in the ``days`` after it, known by their end."""
    with prepared(engine, tables, cut, churn, consent_as_of=consent_as_of, rules=rules) as running:
        if not running.make("tie_pairs"):
            raise calls_missing()
        ties = ties_in(running)
    if ties.silence is not None:
        raise ties.silence.error
    later = cut.shifted(days)
    with prepared(engine, tables, later, churn, consent_as_of=consent_as_of, rules=rules) as running:
        running.make("call_pairs")
        pairs = running.rows("call_pairs").filter(pl.col("last_contact_us") >= cut.instant_us)
    keys = ties.nodes.select(pl.col("node").cast(pl.Int32), "customer_key")
    ends = [keys.rename({"node": f"node_{end}", "customer_key": f"end_{end}"}) for end in "ab"]
    named = ties.graph.ties
    for end, name in zip(ends, ("node_a", "node_b"), strict=True):
        named = named.join(end, on=name, how="left", maintain_order="left")
    named = named.with_columns(
        key_a=pl.min_horizontal("end_a", "end_b"), key_b=pl.max_horizontal("end_a", "end_b")
    )
    living = pairs.select("key_a", "key_b", persists=pl.lit(value=True))
    labelled = named.join(living, on=["key_a", "key_b"], how="left", maintain_order="left").with_columns(
        pl.col("persists").fill_null(value=False)
    )
    n_persist = int(labelled["persists"].sum())
    if min(n_persist, labelled.height - n_persist) < FEWEST:
        raise _too_few(cut, f"{n_persist} that persist and {labelled.height - n_persist} that end")
    return labelled


def learned_weights(ties: pl.DataFrame, cut: AsOf) -> dict[str, float]:
    """Return the weight of each term of strength that ``persists`` supports, drawn towards the default.

    Parameters
    ----------
    ties
        A tie table with ``persists``, as of ``cut``.

    Returns
    -------
    dict
        By term, on the scale on which the logarithm of strength is spread as widely as that of the default, so that
        shares of attention keep their concentration. The default itself when more strength means less persistence.

    Notes
    -----
    logit P(persists) = a + b log w_default + sum_k d_k z_k with standardised terms z and d_k ~ N(0, 1/4), at its
    posterior mode (Newton's method); the weight of a term is b w_k + d_k / s_k. With little data d stays at 0: the
    default.
    """
    terms = blend_terms(cut.instant_us)
    values = ties.select(**terms).to_numpy()
    default = np.array([DEFAULT_WEIGHTS[name] for name in terms])
    base = values @ default
    spread = values.std(axis=0)
    usable = spread > 0
    standard = (values[:, usable] - values[:, usable].mean(axis=0)) / spread[usable]
    design = np.column_stack([np.ones(len(base)), base, standard])
    coefficients = _posterior_mode(design, ties["persists"].to_numpy().astype(np.float64))
    slope, added = coefficients[1], np.zeros(len(default))
    added[usable] = coefficients[2:] / spread[usable]
    weights = slope * default + added
    width = (values @ weights).std()
    if slope <= 0 or width == 0:
        return dict(DEFAULT_WEIGHTS)
    return {name: float(value) for name, value in zip(terms, weights * base.std() / width, strict=True)}


def _posterior_mode(design: Floats, outcome: Floats) -> Floats:
    """Coefficients of a logistic regression whose third and further ones have a normal prior around 0."""
    precision = np.full(design.shape[1], 1 / PRIOR_DEVIATION**2)
    precision[:2] = 1e-6  # level and slope of the default are free; this only keeps the matrix regular
    found = np.zeros(design.shape[1])
    for _ in range(MOST_STEPS):
        chance = 1 / (1 + np.exp(-np.clip(design @ found, -30, 30)))
        gradient = design.T @ (outcome - chance) - precision * found
        curvature = (design * (chance * (1 - chance))[:, None]).T @ design + np.diag(precision)
        step = np.linalg.solve(curvature, gradient)
        found = found + step
        if np.abs(step).max() < 1e-9:  # noqa: PLR2004 - far below what is shown
            break
    return found


def _thinned(ties: pl.DataFrame) -> pl.DataFrame:
    return ties.gather_every(-(-ties.height // MOST_TIES)) if ties.height > MOST_TIES else ties


def _too_few(cut: AsOf, found: str) -> ModelUnfit:
    return ModelUnfit(
        Fault(
            code="ties_too_few",
            where=f"ties as of {cut}",
            expected=f"at least {FEWEST} ties that persist and {FEWEST} that end",
            found=found,
            remedy="Give more calls, or another --as-of or --days; until then the default strength is used.",
        )
    )
