"""The order of the stages of looking around one customer, and of spreading from a list of seeds; nothing else."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import polars as pl

from features import build, calls_missing, ties_at
from features.ties.contract import TIE_WINDOW_DAYS
from scoring import (
    Ego,
    consents_in_force,
    ego,
    influence_of_date,
    scores,
    spread_from,
    told_amount,
    with_influence,
)

from .answered import heard, with_answers
from .dates import AsOf
from .inputs import Inputs
from .learning import champion_bundle
from .loaded import loaded_sources
from .logs import Stages
from .pictures import ego_network
from .places import table_place
from .reachable import ledger_there
from .report.wording import counted
from .sources import refuse_before_data
from .sources.seeds import Seeds, read_seeds
from .store import Workspace
from .store.private import kept_private, made_folder
from .store.publish import written_parquet
from .tie_strength import rules_of
from .unscored import not_scored


@dataclass(frozen=True)
class Neighbourhood:
    """One customer with those around, as of a day."""

    as_of: date
    ego: Ego
    effect_words: str

    def as_dict(self) -> dict[str, Any]:
        """Give everything as plain values for ``--json``."""
        return {
            "as_of": self.as_of.isoformat(),
            **self.ego.as_dict(),
            "causal_effect_from": self.effect_words,
        }

    @property
    def svg(self) -> str | None:
        """The picture of the ego network, which names nobody; None when there are too few friends to show."""
        if self.ego.friends.is_empty():
            return None
        title = f"Around customer {self.ego.customer_id}"
        return ego_network(self.ego.friends, self.ego.links, title=title).svg

    def text(self) -> str:
        """Describe everything for a terminal."""
        me = self.ego
        risk = f"risk {_percent(me.risk)} ({me.band})"
        head = f"Customer {me.customer_id}, as of {self.as_of}: {risk}, value {told_amount(me.value)}"
        if me.why_unusable is not None:
            return f"{head}\nNothing can be said about those around: {me.why_unusable}."
        return "\n".join([head, "", *self._causal(), "", *self._predictive(), "", *self._circle()])

    def _causal(self) -> list[str]:
        me = self.ego
        if me.money is None:
            amount = "not told: not known, or too few friends to tell it without pointing at somebody"
        else:
            amount = f"{told_amount(me.money)} ({told_amount(me.low)} to {told_amount(me.high)})"
        return [
            "If they leave (causal view: what their leaving costs around them)",
            f"  expected loss around them: {amount}",
            f"  from {self.effect_words}",
            f"  {me.scale_words}",
            *self._friends(),
        ]

    def _friends(self) -> list[str]:
        me = self.ego
        if not me.n_ties:
            return ["  They have no ties."]
        if me.friends.is_empty():
            return ["  Too few friends to show them singly without pointing at somebody."]
        head = ("who", "band", "risk +points", "value", "loss")
        rows = [
            (
                row["customer_id"] or f"friend {row['number']}",
                row["band"],
                *(self._figure(row[name]) for name in ("extra_pp", "value", "money")),
            )
            for row in me.friends.iter_rows(named=True)
        ]
        words = "strongest ties first" if me.is_named else "strongest ties first, figures of one digit"
        return [*_aligned(head, rows), f"  {counted(me.friends.height, 'friend')} at risk shown, {words}."]

    def _figure(self, amount: float | None) -> str:
        return told_amount(amount) if self.ego.is_named or amount is None else f"{amount:,.12g}"

    def _predictive(self) -> list[str]:
        told = {name: _exposed(value) for name, value in self.ego.exposure.items()}
        return [
            "What reaches them (predictive view: a sign, no cause, and never money)",
            f"  churn exposure: {told['churn_exposure']}",
            f"  detractor exposure: {told['detractor_exposure']}",
        ]

    def _circle(self) -> list[str]:
        me = self.ego
        lines = [
            f"Their circle: {counted(me.n_ties or 0, 'customer')} in contact in the last {TIE_WINDOW_DAYS} days"
        ]
        n_linked = me.links.height
        n_pairs = me.friends.height * (me.friends.height - 1) // 2
        if n_pairs:
            lines.append(
                f"  of {counted(n_pairs, 'pair')} among the friends shown, "
                f"{n_linked} {'is' if n_linked == 1 else 'are'} tied to each other"
            )
        if me.community is not None:
            lines.append(f"  community {me.community}")
        return lines


@dataclass(frozen=True)
class Spread:
    """What spread from a list of seeds: ``frame`` by falling activation, where it lies, what became of the seeds."""

    as_of: date
    frame: pl.DataFrame
    seeds: Seeds
    place: Path
    quarantine: Path | None

    def as_dict(self) -> dict[str, Any]:
        """Give counts and places as plain values for ``--json``; the table is in the file."""
        return {
            "as_of": self.as_of.isoformat(),
            "n_reached": self.frame.filter(~pl.col("is_seed")).height,
            "n_seeds": self.seeds.frame.height,
            "n_rejected": self.seeds.rejected.height,
            "rejected": dict(self.seeds.rejected.group_by("code").len().sort("code").iter_rows()),
            "output": str(self.place),
            "quarantine": None if self.quarantine is None else str(self.quarantine),
        }


def neighbourhood(workspace: Workspace, as_of: AsOf, inputs: Inputs, customer_id: str) -> Neighbourhood:
    """Score everybody as of a day and look around one customer.

    Raises
    ------
    UsageError
        The customer is not scored on that day, or the day lies before all data.
    SourceMissing
        There is no calls source, or none of its contacts falls into the days that make a tie.
    ModelUnfit
        There is no champion.
    """
    config = workspace.config
    with (
        workspace.held("influence"),
        workspace.engine() as engine,
        Stages("influence", 1, interactive=inputs.interactive) as stages,
        stages.stage("ties and scores"),
    ):
        loaded = loaded_sources(workspace, engine, inputs, as_of)
        refuse_before_data(loaded, as_of)
        if not loaded.tables.has("calls"):
            raise calls_missing()
        bundle = champion_bundle(workspace)
        kinds = {feature.name: feature.kind for feature in bundle.features}
        built = build(
            engine,
            loaded.tables,
            as_of,
            config.churn,
            consent_as_of=as_of,
            kinds=kinds,
            rules=rules_of(workspace, bundle),
            own=workspace.root / "features",
        )
        consents = consents_in_force(engine, loaded.tables, as_of.instant)
        with ledger_there(workspace, inputs) as ledger:
            known = heard(workspace, ledger, as_of, consents)
    if built.ties is None or built.network is None:
        raise calls_missing()
    if built.ties.silence is not None:
        raise built.ties.silence.error
    alone = scores(built.frame, bundle, config.value, as_of=as_of, run_id="")
    scored = with_answers(alone, built, known, bundle=bundle, workspace=workspace, lifetime=None).scores
    if customer_id not in scored["customer_id"]:
        raise not_scored(as_of, is_known=customer_id in built.ties.nodes["customer_id"])
    capacity = config.team.daily_capacity
    found = influence_of_date(built.ties, scored, consents, capacity, config.influence)
    if found is None:
        raise calls_missing()
    network = with_influence(built.network, scored, found, built.opinions)
    around = ego(built.ties, scored, network, found, customer_id, is_named=config.privacy.name_neighbours)
    return Neighbourhood(as_of.day, around, config.influence.effect_words)


def spread(workspace: Workspace, as_of: AsOf, inputs: Inputs, given: object, output: Path | None) -> Spread:
    """Spread energy from seeds along the ties as of a day and write who is reached; see `scoring.spread_from`.

    Without ``output`` the table goes to ``restricted/spread``: it names people. Rejected seeds go to quarantine.

    Raises
    ------
    UsageError
        The seeds cannot be read, the day lies before all data, or ``output`` cannot be written (see `table_place`).
    SourceMissing
        There is no calls source, or none of its contacts falls into the days that make a tie.
    ContractError
        No seed is left.
    """
    if output is not None:
        table_place(output)
    with (
        workspace.held("spread"),
        workspace.engine() as engine,
        Stages("spread", 1, interactive=inputs.interactive) as stages,
        stages.stage("ties and spreading"),
    ):
        loaded = loaded_sources(workspace, engine, inputs, as_of)
        refuse_before_data(loaded, as_of)
        found = ties_at(engine, loaded.tables, as_of, workspace.config.churn, rules_of(workspace))
        if found is None:
            raise calls_missing()
        ties, here = found
        if ties.silence is not None:
            raise ties.silence.error
        seeds = read_seeds(given, ties.nodes)
        quarantine = _quarantined(workspace, as_of.day, seeds)
        seeds.refuse_empty()
        frame = spread_from(ties, seeds.frame, here, as_of.day)
        place = output or workspace.restricted / "spread" / f"as_of={as_of}" / "part-0.parquet"
        made_folder(place.parent, private_under=workspace.restricted)
        _write(frame, place)
        kept_private(place, private_under=workspace.restricted)
    return Spread(as_of.day, frame, seeds, place, quarantine)


def _quarantined(workspace: Workspace, day: date, seeds: Seeds) -> Path | None:
    path = workspace.quarantine(day) / "spread_seeds.parquet"
    if seeds.rejected.is_empty():
        path.unlink(missing_ok=True)
        return None
    return written_parquet(seeds.rejected, path)


def _write(frame: pl.DataFrame, place: Path) -> None:
    if place.suffix.lower() == ".csv":
        from .delivery import written_csv

        written_csv(frame, place)
    else:
        written_parquet(frame, place)


def _percent(share: float) -> str:
    return f"{100 * share:.1f}%"


def _exposed(share: float | None) -> str:
    return "withheld or undefined" if share is None else f"about {100 * share:.0f}% of their ties"


def _aligned(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(len(head))]
    first = widths[0]
    return [
        "  "
        + "  ".join(
            [
                row[0].ljust(first),
                *(cell.rjust(width) for cell, width in zip(row[1:], widths[1:], strict=True)),
            ]
        )
        for row in (head, *rows)
    ]
