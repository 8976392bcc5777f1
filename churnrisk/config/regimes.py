"""How many leavers make which model: the numbers that ``check`` promises by and training goes by.

It decides three numbers and refuses to know how any model is fitted.
"""

from __future__ import annotations

FEWEST_LEAVERS = 10
"""Distinct leavers without whom nothing is learned: a rule prior stands in (judgement: two per fold). As many stayers
are needed in any case."""

FEWEST_FOR_TREES = 200
"""Leavers from whom trees are fitted; with fewer, a regularised logistic regression (science, section 6)."""

FEWEST_JUDGED_LEAVERS = 20
"""Leavers in the evaluation below which its figures say nothing (judgement: AUC's standard error is then about .06)."""

REGIMES_AHEAD = (
    f"{FEWEST_LEAVERS} leavers: logistic regression, in use once {FEWEST_JUDGED_LEAVERS} can judge it; "
    f"{FEWEST_FOR_TREES}: trees"
)
"""What more leavers would lift a model to."""
