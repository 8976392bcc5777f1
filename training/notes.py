"""Sentences about a training that nobody asked for and everybody should read.

It decides what is worth a sentence, and refuses to know how the figures were made.
"""

from __future__ import annotations

from collections.abc import Mapping

from churnrisk.tables.lake import ATTRIBUTE_PREFIX

from .evaluate import Evaluation
from .screening import LEFT_OUT

SUSPICIOUS_AUC = 0.98
"""Nobody predicts leaving so well: something knows the outcome (science, section 10: near 0.99 is leakage)."""

OWN_COLUMNS = ("attribute_", "monthly_value", "language")
"""Beginnings of features that come from the user's own columns of customers."""

MOST_NAMED = 5
"""Columns named in a note; the others are counted."""

NETWORK = "network"
"""Group of the features made from ties, for the figure with and without them."""


def warnings_of(found: Evaluation) -> tuple[str, ...]:
    """Say so when the figures are too good to be true."""
    value = found.figures["auc"]
    if value is not None and value > SUSPICIOUS_AUC:
        return (f"AUC {value:.3f} is too good to be true: look for a feature that knows the outcome",)
    return ()


def prior_words(regime: str) -> tuple[str, ...]:
    """Say what a rule prior is worth."""
    return (
        f"the model is a {regime}. Its figures rest on a handful of leavers at most: stake no money on it",
    )


def unused_columns(dropped: Mapping[str, str]) -> tuple[str, ...]:
    """Say which of the user's own columns the model could not use, and why the commonest reason is what it is."""
    own = {
        name: reason
        for name, reason in dropped.items()
        if name.startswith(OWN_COLUMNS) and reason != LEFT_OUT
    }
    if not own:
        return ()
    is_undated = any(reason.startswith("empty") for reason in own.values())
    why = " An extract without history is unknown before its date: see the tutorial." if is_undated else ""
    listed = "; ".join(f"{name} ({reason})" for name, reason in sorted(own.items())[:MOST_NAMED])
    more = f" and {len(own) - MOST_NAMED} more" if len(own) > MOST_NAMED else ""
    return (f"not learned from: {listed}{more}.{why}",)


def left_out_words(dropped: Mapping[str, str]) -> tuple[str, ...]:
    """Say which columns and features were not learned from because the user said so, own columns by the user's name."""
    names = [name.removeprefix(ATTRIBUTE_PREFIX) for name, reason in dropped.items() if reason == LEFT_OUT]
    return (f"left out, as [training] leave_out says: {', '.join(sorted(names))}",) if names else ()


def network_verdict(judged: Evaluation, ablations: Mapping[str, float | None]) -> tuple[str, ...]:
    """Say so when the model ranks no better with the network than without."""
    value, without = judged.figures["auc"], ablations.get(NETWORK)
    if value is None or without is None or without < value:
        return ()
    return (f"the network adds nothing here: AUC {value:.3f} with it, {without:.3f} without",)
