"""The front door for programs and notebooks: one method per command of the command line, with frames for files.

It decides defaults (the last complete day) and gives Polars back; the work is done below.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from warnings import warn

from .dates import AsOf, days_between, last_complete_day
from .errors import Fault, UsageError
from .inputs import Inputs
from .store import Workspace

if TYPE_CHECKING:
    import polars as pl

    from features import FeatureSet
    from features.ties import TieGraph

    from .alerting import AlertsPreview
    from .evaluating import Evaluated
    from .explanation import Explanation
    from .learning import Learned
    from .neighbourhood import Neighbourhood, Spread
    from .nightly import Extent, Night
    from .recording import Recorded
    from .registry import ModelVersion
    from .sources.readiness import Readiness
    from .tables.described import TableDocs
    from .tie_strength import TiesFitted


def open_workspace(
    directory: str | os.PathLike[str] = ".",
    *,
    frames: Mapping[str, Any] | None = None,
    environment: Mapping[str, str] | None = None,
    interactive: bool = False,
) -> ChurnWorkspace:
    """Open a workspace: a folder with ``churnrisk.toml``.

    Parameters
    ----------
    directory : path
        The folder.
    frames : mapping of source name to frame, optional
        Polars, Arrow or pandas frames that stand in for the files of those sources; columns are mapped as the
        settings say.
    environment : mapping, optional
        Where secrets named ``env:NAME`` are looked up; the process's environment by default.
    interactive : bool
        Draw progress on standard error.

    Raises
    ------
    ConfigError
        There is no ``churnrisk.toml``, or it is wrong; the message lists every fault.
    """
    inputs = Inputs(
        frames=dict(frames or {}),
        environment=dict(os.environ) if environment is None else environment,
        interactive=interactive,
    )
    return ChurnWorkspace(Workspace.open(Path(directory)), inputs)


class ChurnWorkspace:
    """An open workspace; make one with :func:`churnrisk.open`.

    ``as_of`` is a day, as date or ISO text; by default the last complete day in the workspace's zone.
    """

    def __init__(self, folder: Workspace, inputs: Inputs) -> None:
        self._folder = folder
        self._inputs = inputs

    @property
    def root(self) -> Path:
        """The folder."""
        return self._folder.root

    def check(self, as_of: date | str | None = None) -> Readiness:
        """Load and check the sources; say what was read, kept and rejected, and whether there is enough to train.

        A column named in the settings that no source has raises ConfigError.
        """
        from .checking import check

        return check(self._folder, self._as_of(as_of), self._inputs)

    def features(
        self, as_of: date | str | None = None, *, customers: Sequence[str] | None = None
    ) -> pl.DataFrame:
        """Return the feature table as of a day: customer_id, then one column per feature, by rising customer_id."""
        return self._built(as_of, customers).frame.drop("customer_key")

    def ties(self, as_of: date | str | None = None) -> TieGraph | None:
        """Return the ties between customers as of a day as a read-only networkx graph, None without a calls source.

        Nodes are customer ids, those who left, hubs and those without permission to use their calls included: the
        last two have no ties. Nobody has any, after a `features.TiesUnknownWarning`, when no contact falls into the
        days that make a tie. An edge's ``weight`` is the strength of the tie; its other facts are attributes too.
        ``.contacts()`` is the directed graph of who called whom. networkx functions that churnrisk covers run on the
        compressed rows; others work on a copy, after a warning that names its cost (docs/networkx.md).
        """
        found = self._built(as_of, None).ties
        return None if found is None else found.named()

    def influence(self, customer_id: str | int, as_of: date | str | None = None) -> Neighbourhood:
        """Return who is at risk around a customer if they leave, by how much, and their ego network.

        ``.ego`` holds it as values and frames, ``.text()`` as the command prints it, ``.svg`` as a picture. The causal
        view (money) and the predictive view (exposure) stand apart. Friends carry ids only with [privacy]
        name_neighbours. Ids are text: a whole number is taken as its digits.
        """
        from .neighbourhood import neighbourhood

        return neighbourhood(self._folder, self._as_of(as_of), self._inputs, str(customer_id))

    def explain(self, customer_id: str | int, as_of: date | str | None = None) -> Explanation:
        """Return why the model sees a customer at the risk it does, and what moved it since the night before.

        For any customer scored on the day, listed or not; a whole number is taken as its digits. ``.as_dict()`` holds
        everything as plain values, ``.text()`` as the command prints it. Reasons, groups and changes add up; what other
        customers did is not told.
        """
        from .explaining import explain

        return explain(self._folder, self._as_of(as_of), self._inputs, str(customer_id))

    def drawn(self, found: Neighbourhood, place: Path | None = None) -> Path | None:
        """Write the picture of an ego network and return where; None, and no file, when there is nothing to draw.

        Without ``place`` it goes beside the report of the day under a name that is the customer's and tells
        nothing of them: drawn again, it is written over; a ``place`` ends in .svg, and its folder must be there.
        """
        from .places import drawing_place, nameless_place

        if found.svg is None:
            return None
        if place is not None:
            drawing_place(place).write_text(found.svg, "utf-8")
            return place
        path = nameless_place(
            self._folder.report(found.as_of).parent,
            "influence",
            ".svg",
            about=found.ego.customer_id,
            key=self._folder.contact_hash_key(self._inputs.environment),
        )
        path.write_text(found.svg, "utf-8")
        return path

    def spread(
        self, seeds: object, as_of: date | str | None = None, *, output: str | os.PathLike[str] | None = None
    ) -> Spread:
        """Spread energy from a list of seeds along the ties; ``.frame`` ranks whom it reaches.

        Parameters
        ----------
        seeds : path, frame or sequence of ids
            CSV or Parquet file, or a frame, with customer_id and, if wished, energy (above 0; 1 where missing).
        as_of : date or text, optional
            The day.
        output : path, optional
            Where to write the table: .parquet or .csv, into a folder that is there; by default under
            ``restricted/spread``.
        """
        from .neighbourhood import spread

        place = None if output is None else Path(output)
        return spread(self._folder, self._as_of(as_of), self._inputs, seeds, place)

    def fit_ties(self, as_of: date | str | None = None, *, days: int = 28) -> TiesFitted:
        """Learn tie strength from whether your own ties persist for ``days``; kept for the next training if better."""
        from .tie_strength import fit_ties

        return fit_ties(self._folder, self._as_of(as_of), self._inputs, days=days)

    def train(self, as_of: date | str | None = None, *, tune_minutes: float | None = None) -> Learned:
        """Fit, calibrate and judge a model, log it to MLflow and register it; the first fit one becomes champion.

        ``tune_minutes`` stands in for ``[training] tune_minutes``.
        """
        from .learning import learn

        return learn(self._folder, self._as_of(as_of), self._inputs, tune_minutes=tune_minutes)

    def evaluate(self, as_of: date | str | None = None, *, by: Sequence[str] = ()) -> Evaluated:
        """Judge the model in use from every side on dates it has not learned from, else a twin of it.

        ``by`` names your columns by which treatment is compared, besides [evaluation] by. ``.tables`` holds everything,
        ``.page`` is where the page lies, ``.text()`` what the command prints.
        """
        from .evaluating import evaluate

        return evaluate(self._folder, self._as_of(as_of), self._inputs, by=by)

    def models(self) -> list[ModelVersion]:
        """Return the registered versions, newest first."""
        from .registry import Registry

        return Registry(self._folder.config.mlflow, self._folder.root, self._inputs.environment).models()

    def promote(self, version: str, *, force_reason: str | None = None) -> Path:
        """Make a version champion and copy its bundle into ``models/``; return where the copy lies.

        One that is unfit, worse than the champion or compared with another one is refused, unless ``force_reason``
        says why it is wanted; the reason is kept in MLflow and in run_log. A former champion comes back as it was.
        """
        from .promotion import promote

        with self._folder.held("promote"):
            return promote(self._folder, version, self._inputs, force_reason=force_reason, at=_now())

    def score(self, as_of: date | str | None = None) -> Night:
        """Publish risk, reasons and the list of a day, without a report."""
        from .nightly import SCORE

        return self._run(self._as_of(as_of), SCORE)

    def decide(self, as_of: date | str | None = None, *, dry_run: bool = False) -> Night:
        """Score, decide whom to ask and what to offer, publish and write lists, without a report.

        A date is decided once: again, it shows what was decided. With ``dry_run`` nothing is written anywhere, and
        ``.decided`` says what would be: budgets, counts by reason, what another budget would buy.
        """
        from .nightly import DECIDE, DRY_RUN

        return self._run(self._as_of(as_of), DRY_RUN if dry_run else DECIDE)

    def drawn_budgets(self, night: Night, place: Path) -> Path | None:
        """Draw what other budgets for offers would have bought on a night that decided (.svg), and return where.

        None, and no file, where no offer was worth making. The folder of ``place`` must be there.
        """
        import polars as pl

        from .pictures import budget_curve
        from .places import drawing_place

        curve = night.decided.get("curve")
        if not curve or len(curve["budget"]) < 2:  # noqa: PLR2004 - a curve has two ends
            return None
        drawing_place(place).write_text(budget_curve(pl.DataFrame(curve)).svg, "utf-8")
        return place

    def nightly(self, as_of: date | str | None = None) -> Night:
        """Run a whole night: check, score, decide, lists, report, publish."""
        from .nightly import NIGHTLY

        return self._run(self._as_of(as_of), NIGHTLY)

    def record(self, kind: str, given: object) -> Recorded:
        """Record what came back into the ledger; the same rows twice change nothing.

        Parameters
        ----------
        kind : str
            answers, outcomes, treatments, contacts, consents, suppressions or liftings.
        given : path or frame
            CSV or Parquet by its path, or a Polars, Arrow or pandas frame; columns as `churnrisk schema
            recorded_answers` (recorded_outcomes ...) names them. Rows without known_at became known now.

        Returns
        -------
        Recorded
            How many rows were new, changed, known before, strays or rejected; they add up to those read. What needs a
            look all the same is a `recording.RecordedWarning` too.
        """
        from .recording import RecordedWarning, record

        found = record(self._folder, self._inputs, kind, given, now=_now())
        for each in found.warnings:
            warn(each, RecordedWarning, stacklevel=2)
        return found

    def alerts_preview(
        self, window: str | tuple[float, float], as_of: date | str | None = None
    ) -> AlertsPreview:
        """Return by month what another alert window would have raised over past answers; nothing is raised.

        ``window``: lowest and highest score that raise an alert, both included, as ``"0-4"`` or ``(0, 4)``. The present
        one is [surveys] alert_window. ``.table`` has a row per month (n_answers, n_present, n_window, n_added,
        n_dropped, n_commented).
        """
        from .alerting import alerts_preview, window_of

        text = window if isinstance(window, str) else f"{window[0]:g}-{window[1]:g}"
        return alerts_preview(self._folder, self._as_of(as_of), self._inputs, window_of(text))

    def backfill(self, first: date, last: date, *, every_days: int = 1) -> list[Night]:
        """Publish tables for past days: no list, no report, no contact. ``scores.is_hindsight`` marks them."""
        if last < first:
            raise UsageError(
                Fault(
                    code="range_backwards",
                    where="--from, --to",
                    expected="a first day not after the last",
                    found=f"{first} to {last}",
                    remedy="Swap them.",
                )
            )
        return list(self._backfilled(list(days_between(first, last))[::every_days]))

    def table(self, name: str, as_of: date | str | None = None) -> pl.DataFrame:
        """Return a published table of a day, by default of its latest.

        Raises
        ------
        UsageError
            There is no such table, or it was not published for that day.
        """
        from .store.publish import published_days, published_frame
        from .tables.published import RULES

        if name not in RULES:
            raise UsageError(
                Fault(
                    "table_unknown",
                    name,
                    "a published table",
                    repr(name),
                    "Choose one.",
                    tuple(sorted(RULES)),
                )
            )
        rule = RULES[name]
        day = None if as_of is None else self._as_of(as_of).day
        frame = published_frame(self._folder, rule, day)
        if frame is None:
            days = published_days(self._folder, name, is_restricted=rule.is_restricted)
            raise UsageError(
                Fault(
                    code="table_not_published",
                    where=name,
                    expected=f"rows as of {day or 'any day'}",
                    found="none",
                    remedy="Run `churnrisk nightly`, or choose a day.",
                    available=tuple(str(each) for each in days[-5:]),
                )
            )
        return frame

    def _as_of(self, as_of: date | str | None) -> AsOf:
        from .dates import parsed_day

        zone = self._folder.config.time.day_zone
        if as_of is None:
            return AsOf(last_complete_day(_now(), zone), zone)
        return AsOf(parsed_day(str(as_of), "as_of"), zone)

    def _built(self, as_of: date | str | None, customers: Sequence[str] | None) -> FeatureSet:
        from features import TiesUnknownWarning, build

        from .loaded import loaded_sources
        from .sources import refuse_before_data
        from .tie_strength import rules_of

        day = self._as_of(as_of)
        with self._folder.held("features"), self._folder.engine() as engine:
            loaded = loaded_sources(self._folder, engine, self._inputs, day)
            refuse_before_data(loaded, day)
            built = build(
                engine,
                loaded.tables,
                day,
                self._folder.config.churn,
                customers=customers,
                rules=rules_of(self._folder),
                own=self.root / "features",
            )
        if built.ties is not None and built.ties.silence is not None:
            warn(built.ties.silence.text, TiesUnknownWarning, stacklevel=3)
        return built

    def _run(self, as_of: AsOf, extent: Extent) -> Night:
        from .nightly import run_night

        return run_night(self._folder, as_of, self._inputs, extent=extent, started_at=_now())

    def _backfilled(self, days: Sequence[date]) -> Iterator[Night]:
        from .nightly import BACKFILL

        for day in days:
            yield self._run(self._as_of(day), BACKFILL)


def described_tables(name: str | None) -> TableDocs:
    """Describe the source and published tables, or the one named; raise UsageError when there is none of that name."""
    from .tables.described import documented_tables

    return documented_tables(name)


def _now() -> datetime:
    """The present instant, naive UTC; the only clock in the project."""
    return datetime.now(UTC).replace(tzinfo=None)
