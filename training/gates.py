"""What a model must show before it may become champion; decides nothing but that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from churnrisk.bundle import PRIOR
from churnrisk.config import FEWEST_JUDGED_LEAVERS
from churnrisk.errors import Fault

from .evaluate import Evaluation

CHANCE_AUC = 0.5

OBSERVED_OVER_EXPECTED = (0.5, 2.0)
"""Observed/expected must be able to lie in here: a risk wrong by a factor of two is no basis for money (judgement)."""


@dataclass(frozen=True)
class GateFinding:
    """One gate: what was needed, what was found."""

    gate: str
    is_passed: bool
    needed: str
    found: str


def gate_findings(
    judged: Evaluation, risk: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> tuple[GateFinding, ...]:
    """Return every gate with its finding for an evaluation and the risks it judged."""
    figures = judged.figures
    low, high = figures["observed_over_expected_low"], figures["observed_over_expected_high"]
    least, most = OBSERVED_OVER_EXPECTED
    auc_low, margin = figures["auc_low"], figures["log_loss_margin"]
    n_distinct = len(np.unique(risk))
    return (
        GateFinding(
            "enough_leavers",
            judged.n_leavers >= FEWEST_JUDGED_LEAVERS,
            f"at least {FEWEST_JUDGED_LEAVERS} leavers to judge on",
            str(judged.n_leavers),
        ),
        GateFinding(
            "not_constant",
            n_distinct > 1,
            "different risks for different customers",
            f"{n_distinct} distinct",
        ),
        GateFinding(
            "better_than_chance",
            auc_low is not None and auc_low > CHANCE_AUC,
            f"AUC whose interval lies above {CHANCE_AUC}",
            f"{_shown(figures['auc'])} [{_shown(auc_low)}, {_shown(figures['auc_high'])}]",
        ),
        GateFinding(
            "better_than_constant",
            margin is not None and margin > 0,
            "log loss below that of the constant leaving rate",
            f"margin {_shown(margin)}",
        ),
        GateFinding(
            "calibrated_in_the_large",
            low is not None and high is not None and low <= most and high >= least,
            f"observed/expected whose interval reaches into {least} to {most}",
            f"{_shown(figures['observed_over_expected'])} [{_shown(low)}, {_shown(high)}]",
        ),
    )


def prior_findings(judged: Evaluation, regime: str) -> tuple[GateFinding, ...]:
    """Return the gates of a rule prior: too few left to show that anything ranks; it may serve until a model learned.

    It must say what it is wherever it is named, and what was observed must not contradict it.
    """
    figures = judged.figures
    low, high = figures["observed_over_expected_low"], figures["observed_over_expected_high"]
    least, most = OBSERVED_OVER_EXPECTED
    said = GateFinding(
        "says_what_it_is",
        regime.startswith(PRIOR),
        f"the words '{PRIOR}, not learned' wherever it is named",
        regime.partition(";")[0],
    )
    if low is None or high is None or figures["observed_over_expected"] == 0:
        return (said,)
    calibrated = GateFinding(
        "calibrated_in_the_large",
        low <= most and high >= least,
        f"observed/expected whose interval reaches into {least} to {most}",
        f"{_shown(figures['observed_over_expected'])} [{_shown(low)}, {_shown(high)}]",
    )
    return (said, calibrated)


def beside_champion(champion: str, champion_regime: str) -> GateFinding:
    """Return the gate of a rule prior where there is a champion: it must not take the place of one that learned."""
    return GateFinding(
        "no_learned_champion",
        champion_regime.startswith(PRIOR),
        "no champion, or one that is a rule prior too",
        f"version {champion}: {champion_regime.partition(';')[0]}",
    )


def gate_faults(findings: Sequence[GateFinding]) -> tuple[Fault, ...]:
    """Return a fault per gate that was not passed."""
    remedies = {
        "no_learned_champion": "Keep the champion: a rule knows less than what was learned from leavers.",
        "enough_leavers": "Give more history or lengthen [churn] horizon_days.",
        "calibrated_in_the_large": "Leaving has changed between training and test: look at the leavers by month.",
    }
    return tuple(
        Fault(
            code=f"gate_{finding.gate}",
            where="evaluation of the new model",
            expected=finding.needed,
            found=finding.found,
            remedy=remedies.get(finding.gate, "Add sources or attributes that tell leavers from stayers."),
        )
        for finding in findings
        if not finding.is_passed
    )


def _shown(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.4f}"
