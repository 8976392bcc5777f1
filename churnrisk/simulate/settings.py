"""What can be chosen about a simulated world, within which limits; it refuses to know how the choice is played out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields
from datetime import date
from types import MappingProxyType
from typing import Any, Literal

from ..errors import Fault, UsageError

FileFormat = Literal["csv", "parquet"]

DEFAULT_FORMATS: Mapping[str, FileFormat] = MappingProxyType(
    {
        "customers": "csv",
        "calls": "parquet",
        "usage": "csv",
        "interactions": "csv",
        "surveys": "csv",
        "events": "csv",
        "offers": "csv",
        "treatments": "csv",
    }
)
"""File format per table: calls are many, so they come as monthly Parquet parts; the rest opens in a spreadsheet."""

LIMITS: Mapping[str, tuple[float, float]] = MappingProxyType(
    {
        "customers": (50, 5_000_000),
        "days": (28, 1_826),
        "seed": (0, 2**63 - 1),
        "contagion": (1.0, 4.0),
        "homophily": (0.0, 0.6),
        "monthly_churn": (0.002, 0.08),
        "response_rate": (0.02, 0.9),
        "mean_degree": (1, 50),
        "community_size": (8, 1_000),
        "inside_share": (0.0, 1.0),
        "calls_per_day": (0.01, 50),
        "decision_lag_days": (5, 60),
    }
)
"""Lowest and highest value of each number in `WorldSettings`."""

MOST_CROWDED = 0.5
"""Share of the possible pairs in a community that may be ties; guessed: above it the draw of pairs runs dry."""


@dataclass(frozen=True)
class Mechanism:
    """Why customers leave: log hazard per unit of each cause, and the customs of the simulated company.

    All values are guesses, set so that a good model reaches an out-of-time AUC of 0.70-0.85 and that response, NPS
    and churn lie where telcos report them.
    """

    overpay: float = 0.35
    """Log hazard per standard deviation of the price paid above the list price."""
    contract: tuple[float, float, float] = (0.85, -0.1, -1.0)
    """Log hazard of month-to-month, 12-month and 24-month contracts."""
    price_rise: float = 0.7
    """Log hazard per 10 % of a recent price rise; it is forgotten with a half-life of six weeks."""
    service: float = 0.9
    """Log hazard per unit of remembered service pain (one incident of mean severity = 1)."""
    mood: float = -0.6
    """Log hazard per unit of mood (dissatisfaction is low mood)."""
    trait: float = 0.5
    """Log hazard per standard deviation of the unobserved, time-constant trait."""
    newcomer: float = 1.0
    """Log hazard of a customer who has just joined; it falls with exp(-tenure / 180 days)."""
    strong_share: float = 0.4
    """Share of the ties between customers, from the strongest down, through which contagion runs."""
    recent_days: int = 91
    """How long a strong friend's leaving is felt; a multiple of 7."""
    most_friends_counted: int = 3
    """More recently churned strong friends than this add no further hazard; keeps a planted 2.5 from exploding."""
    incidents_per_week: float = 0.035
    pain_kept_per_week: float = 0.87
    shock_kept_per_week: float = 0.89
    mood_kept_per_week: float = 0.93
    notice_share: float = 0.35
    """Share of leavers who give notice: their leaving is known before it happens."""
    overt_share: float = 0.4
    """Share of leavers who contact more between deciding and leaving (Ascarza, Netzer & Hardie 2018)."""
    silent_share: float = 0.4
    """Share of leavers who go quiet between deciding and leaving."""
    response_to_mood: float = 0.35
    """Log odds of answering a survey per unit of mood: the unhappy answer less."""
    response_to_incentive: float = 0.35


@dataclass(frozen=True)
class Programme:
    """A retention programme: every week it picks customers who look likely to leave, and offers them something.

    All values are guesses, set so that it works well enough to fool a model that does not look at it.
    """

    weekly_share: float = 0.02
    """Share of the base picked each week; nobody again while an action lasts."""
    control_share: float = 0.1
    """Share of those picked who are left alone on purpose, drawn at random."""
    hazard_ratio: float = 0.4
    """Hazard of deciding to leave after an action, over that without."""
    lasting_weeks: int = 8
    revoked_share: float = 0.5
    """Share of those who had already decided, unknown to the company, who stay after all."""
    accepted_share: float = 0.6
    from_day: int = 0
    """First written day on which it acts."""


@dataclass(frozen=True)
class WorldSettings:
    """The knobs of one world.

    ``customers`` is the size of the base, held level: whoever leaves is replaced. ``contagion`` is the hazard ratio
    per recently churned strong friend (1 = none). ``homophily`` is the correlation within communities of an
    unobserved, time-constant trait. ``calls_per_day`` counts calls and texts started by a customer.
    ``decision_lag_days`` is the mean time from deciding to leave to leaving. With a ``programme`` somebody does
    something against leaving, and the source ``treatments`` is written. With ``weekly_truth`` the true hazard of every
    week is written down, else of the first week of each month.
    """

    customers: int = 5_000
    days: int = 365
    end_on: date = date(2026, 6, 30)
    seed: int = 20_260_101
    contagion: float = 1.6
    homophily: float = 0.3
    monthly_churn: float = 0.02
    response_rate: float = 0.28
    mean_degree: float = 10.0
    community_size: int = 40
    inside_share: float = 0.8
    calls_per_day: float = 2.0
    decision_lag_days: float = 30.0
    file_format: Mapping[str, FileFormat] = field(default_factory=dict)
    mechanism: Mechanism = field(default_factory=Mechanism)
    programme: Programme | None = None
    weekly_truth: bool = False

    def __post_init__(self) -> None:
        faults = list(self._faults())
        if faults:
            raise UsageError(faults)

    def _faults(self) -> Iterator[Fault]:
        for name, (low, high) in LIMITS.items():
            found = getattr(self, name)
            if not low <= found <= high:
                yield _fault(name, f"between {low:g} and {high:g}", f"{found:g}")
        if self.programme is not None:
            for name in ("weekly_share", "control_share", "revoked_share", "accepted_share", "hazard_ratio"):
                share = getattr(self.programme, name)
                if not 0 <= share <= 1:
                    yield _fault(f"programme.{name}", "between 0 and 1", f"{share:g}")
        crowd = self.mean_degree * self.inside_share / self.community_size
        if crowd > MOST_CROWDED:
            allowed = f"at least {self.mean_degree * self.inside_share / MOST_CROWDED:.0f} for these ties"
            yield _fault("community_size", allowed, str(self.community_size))
        for table, found in self.file_format.items():
            if table not in DEFAULT_FORMATS:
                yield _fault("file_format", f"one of {', '.join(DEFAULT_FORMATS)}", repr(table))
            elif found not in {"csv", "parquet"}:
                yield _fault(f"file_format[{table}]", "csv or parquet", repr(found))

    @property
    def tables(self) -> tuple[str, ...]:
        """The sources that are written, in order."""
        return tuple(name for name in DEFAULT_FORMATS if name != "treatments" or self.programme is not None)

    def format_of(self, table: str) -> FileFormat:
        """Return the file format in which ``table`` is written."""
        return self.file_format.get(table, DEFAULT_FORMATS[table])

    def as_plain(self) -> dict[str, Any]:
        """Give all settings as plain values, for the parameters written beside the data."""
        plain = {item.name: getattr(self, item.name) for item in fields(self)}
        plain["end_on"] = self.end_on.isoformat()
        plain["file_format"] = {table: self.format_of(table) for table in self.tables}
        plain["mechanism"] = asdict(self.mechanism)
        del plain["programme"], plain["weekly_truth"]  # how much is written down changes nothing that happens
        if self.programme is not None:
            plain["programme"] = asdict(self.programme)
        return plain


def reference_world(
    *, contagion: float, homophily: float, seed: int, customers: int = 50_000
) -> WorldSettings:
    """Return the settings on which every figure that rests on simulation is measured.

    50,000 customers over 18 months, 2 % leaving a month, ten ties each, communities of 40 with 80 % of the ties
    inside, 30 % response. ``contagion`` is 1.0 (none) or 2.5; ``homophily`` is 0 or 0.6. Leaving follows the
    decision soon, so that the planted ratio is not blurred by the delay. The hidden trait weighs more than in the
    demo: where friends are alike, a friend's leaving goes with about 1.6 times the hazard, as similarity does on real
    telco graphs.
    """
    return WorldSettings(
        customers=customers,
        days=548,
        seed=seed,
        contagion=contagion,
        homophily=homophily,
        monthly_churn=0.02,
        response_rate=0.30,
        mean_degree=10,
        community_size=40,
        inside_share=0.8,
        calls_per_day=0.6,
        decision_lag_days=10,
        mechanism=Mechanism(trait=1.0),
        file_format={
            "usage": "parquet",
            "interactions": "parquet",
            "surveys": "parquet",
            "events": "parquet",
        },
    )


def _fault(name: str, expected: str, found: str) -> Fault:
    return Fault("world_impossible", f"simulate {name}", expected, found, "Choose another value.")
