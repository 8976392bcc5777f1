"""What a decision night works on, put together once and handed from step to step; it decides nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
import polars as pl
from numpy.typing import NDArray

from ..bundle import Answering, AnswerRatios, NpsModel
from ..bundle.effects import OfferEffects
from ..config import Config
from ..dates import AsOf
from ..ledger.rules import ContactRules, Standing
from ..messages import Sentences
from .friends import Circle

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Material:
    """As of when, under which settings and rules, about whom.

    Attributes
    ----------
    people
        One row per customer scored, by customer_id: customer_id, risk, risk_low, risk_high (after the answers so far),
        band, value (null: not known), spillover_value, spillover_low, spillover_high (null: not known), language,
        root_cause (the one recorded last, null: none).
    features
        The feature table, rows as in ``people``.
    offers
        The source ``offers``; None without one.
    effects
        What offers do; None: assumed of all of them.
    evidence
        Answers in force (`scoring.confirm.evidence_in_force`).
    cases
        customer_id, case_id, closed_at of cases closed lately; None: not recorded.
    contacts
        customer_id, interaction_id, at, channel of contacts customers made lately; None without that source.
    owners
        customer_id, owner: who looks after whom; None where ``[lists] carry`` has no owner.
    """

    as_of: AsOf
    run_id: str
    config: Config
    sentences: Sentences
    rules: ContactRules
    standing: Standing
    people: pl.DataFrame
    features: pl.DataFrame
    ratios: AnswerRatios
    evidence: pl.DataFrame
    offers: pl.DataFrame | None = None
    effects: OfferEffects | None = None
    nps: NpsModel | None = None
    answering: Answering | None = None
    eligible: pl.DataFrame | None = None
    """One boolean column per offer_id, rows as in ``people``; None: everybody may get everything."""
    cases: pl.DataFrame | None = None
    contacts: pl.DataFrame | None = None
    owners: pl.DataFrame | None = None
    unheard: pl.Series = field(default_factory=lambda: pl.Series("customer_id", [], dtype=pl.String))
    """Customers who forbid the use of their answers: asking them to confirm would tell nothing."""
    listed: pl.Series = field(default_factory=lambda: pl.Series("customer_id", [], dtype=pl.String))
    """Customers on the list of the night: of them it is always told why they get no offer."""
    calls: pl.DataFrame | None = None
    """The list of the night, then its spares: customer_id, position, may_contact, left_out_for (null: to be called),
    is_spare, and stake, by which the contact rules walk: money or, where no value is known, the risk."""
    promoters: pl.DataFrame | None = None
    """customer_id, position of promoters to approach, best first."""
    circle: Circle | None = None
    """What stands around customers; None where ties are not known."""
    due: pl.DataFrame | None = None
    """customer_id, rule, latest_channel (null: none) of those whom a proactive rule concerns now."""
    campaign_share: float | None = None
    """Share of controls that the campaign running was started with; None: that of the settings."""
    tried: Mapping[str, int] = field(default_factory=dict)
    """By offer_id: how often it was made so late that ``effects`` know nothing of the outcome."""
    notes: tuple[str, ...] = field(default=())

    @property
    def control_share(self) -> float:
        """Share of the campaign left without an offer: as it was started, whatever the settings say by now."""
        return self.config.offers.control_share if self.campaign_share is None else self.campaign_share

    def money(self, name: str) -> Floats:
        """Return a column of people as numbers, nan where it is not known."""
        return self.people[name].cast(pl.Float64).fill_null(np.nan).to_numpy()
