"""Contracts of the published tables: one declaration per table gives its audit, its documentation and its comments.

It decides which columns BI tools and people may rely on, with type, unit, range and what null means, and refuses to
know how a value is reached. Tables of later stages (offers, survey requests, alerts ...) join the list with them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from ..store.audits import ColumnRule, TableRule

BANDS = ("low", "watch", "high", "critical")
"""Words of risk, by realised rate of leaving, lowest first."""

Kind = Literal["text", "number", "integer", "boolean", "date", "instant"]


@dataclass(frozen=True)
class PublishedColumn:
    """One column: ``null_meaning`` is empty when null may not stand."""

    name: str
    kind: Kind
    unit: str
    meaning: str
    null_meaning: str = ""
    low: float | None = None
    high: float | None = None
    words: tuple[str, ...] = ()

    @property
    def rule(self) -> ColumnRule:
        """What the audit checks."""
        return ColumnRule(
            self.name, self.kind, bool(self.null_meaning), self.low, self.high, self.words, self.comment
        )

    @property
    def comment(self) -> str:
        """The meaning in one line, unit and null included."""
        unit = f" [{self.unit}]" if self.unit else ""
        null = f"; null: {self.null_meaning}" if self.null_meaning else ""
        return f"{self.meaning}{unit}{null}"

    @property
    def range_words(self) -> str:
        """The range or the words allowed, for reading."""
        if self.words:
            return ", ".join(self.words)
        if self.low is not None and self.high is not None:
            return f"{self.low:g} to {self.high:g}"
        return f"at least {self.low:g}" if self.low is not None else ""


@dataclass(frozen=True)
class PublishedTable:
    """One table: key, columns, references, where it lies."""

    name: str
    meaning: str
    key: tuple[str, ...]
    columns: tuple[PublishedColumn, ...]
    references: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    rising: tuple[str, ...] = ()
    min_rows: int = 0
    open_note: str = ""
    """Says where further columns are declared; empty when there are none."""
    is_restricted: bool = False
    is_log: bool = False

    @property
    def rule(self) -> TableRule:
        """What the audit checks and publishing needs."""
        return TableRule(
            name=self.name,
            key=self.key,
            columns=tuple(column.rule for column in self.columns),
            references=self.references,
            rising=self.rising,
            min_rows=self.min_rows,
            is_open=bool(self.open_note),
            is_restricted=self.is_restricted,
            is_log=self.is_log,
        )

    @property
    def kind(self) -> str:
        """What stands behind the name in headings."""
        return "published"

    @property
    def place(self) -> str:
        """Where the files lie, relative to the workspace."""
        top, part = (
            ("restricted" if self.is_restricted else "published"),
            ("<run_id>" if self.is_log else "0"),
        )
        return f"{top}/{self.name}/as_of=YYYY-MM-DD/part-{part}.parquet"

    def as_dict(self) -> dict[str, Any]:
        """Give the contract as plain values for ``--json``."""
        return {
            "table": self.name,
            "meaning": self.meaning,
            "place": self.place,
            "key": list(self.key),
            "references": {column: ".".join(target) for column, target in self.references.items()},
            "further_columns": self.open_note or None,
            "columns": [
                {
                    "name": column.name,
                    "type": column.kind,
                    "unit": column.unit or None,
                    "range": column.range_words or None,
                    "required": not column.null_meaning,
                    "meaning": column.meaning,
                    "null_means": column.null_meaning or None,
                }
                for column in self.columns
            ],
        }

    def text(self) -> str:
        """Describe the table for a terminal."""
        width = max(len(column.name) for column in self.columns)
        lines = [
            f"{self.name} ({self.kind}): {self.meaning}",
            f"  {self.place}",
            f"  key: {', '.join(self.key)}",
        ]
        for column in self.columns:
            limits = ", ".join(filter(None, (column.kind, column.unit, column.range_words)))
            null = f"; null: {column.null_meaning}" if column.null_meaning else ""
            lines.append(f"  {column.name:<{width}}  {column.meaning} ({limits}{null})")
        if self.open_note:
            lines.append(f"  and: {self.open_note}")
        return "\n".join(lines)

    def markdown(self) -> str:
        """Describe the table as a section of the documentation."""
        lines = [
            f"## {self.name} ({self.kind})",
            "",
            f"{self.meaning} Key: {', '.join(f'`{name}`' for name in self.key)}. In `{self.place}`.",
            "",
            "| column | type | unit | range | meaning | null means |",
            "| --- | --- | --- | --- | --- | --- |",
        ]
        for column in self.columns:
            cells = (
                f"`{column.name}`",
                column.kind,
                column.unit,
                column.range_words,
                column.meaning,
                column.null_meaning or "never null",
            )
            lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
        if self.open_note:
            lines += ["", self.open_note]
        return "\n".join([*lines, ""])


_AS_OF = PublishedColumn("as_of", "date", "", "The day whose end is the limit of what was known.")
_RUN = PublishedColumn(
    "run_id", "text", "", "The run that made the row: a hash of as_of, inputs, settings, code and model."
)
_CUSTOMER = PublishedColumn("customer_id", "text", "", "The customer, as the user's own systems name them.")
_RISK = PublishedColumn(
    "risk", "number", "probability", "Calibrated probability of leaving in the outcome window.", low=0, high=1
)
_BAND = PublishedColumn(
    "band", "text", "", "Word for the risk, by the rate at which such customers really left.", words=BANDS
)
_POSITION = PublishedColumn("position", "integer", "rank", "1 is first.", low=1)
_VALUE = PublishedColumn(
    "value",
    "number",
    "customer's currency",
    "Expected margin over [value] months (12 by default): monthly_value x margin_share x months.",
    "the customer's monthly_value is not known",
)
_LATER = "not computed by this version"

SCORES = PublishedTable(
    "scores",
    "The risk of every customer who has not left, and what they are worth.",
    ("as_of", "customer_id"),
    (
        _AS_OF,
        _CUSTOMER,
        _RISK,
        PublishedColumn(
            "risk_low",
            "number",
            "probability",
            "Lower end of the Venn-Abers interval.",
            "the model has no interval",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "risk_high",
            "number",
            "probability",
            "Upper end of the Venn-Abers interval.",
            "the model has no interval",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "risk_before_survey",
            "number",
            "probability",
            "Risk before the answer to a confirming survey changed it.",
            "no such answer has changed the risk",
            low=0,
            high=1,
        ),
        _BAND,
        _VALUE,
        PublishedColumn("model_version", "text", "", "The registered version of the model."),
        PublishedColumn(
            "is_hindsight",
            "boolean",
            "",
            "The model learned from outcomes after as_of: do not judge it by this row.",
            "the model's training data carry no dates",
        ),
        _RUN,
    ),
    rising=("risk_low", "risk", "risk_high"),
    min_rows=1,
)

REASONS = PublishedTable(
    "reasons",
    "Where the risk of the customers on the list comes from: what raises it, strongest first, then what lowers it; "
    "then `other inputs` (all without a line of their own), `survey answer` (where one changed the risk) and `average "
    "customer` (where all begin). The lines of a customer add up to the risk: sum(effect_pp) = 100 x scores.risk. It "
    "is what the model saw, not what causes leaving.",
    ("as_of", "customer_id", "position"),
    (
        _AS_OF,
        _CUSTOMER,
        _POSITION,
        PublishedColumn(
            "feature",
            "text",
            "",
            "Name of the feature in the catalogue, or of a line that is no single input.",
        ),
        PublishedColumn(
            "value",
            "text",
            "the feature's unit",
            "The customer's own value, as text.",
            "the feature is unknown for the customer, which is itself the reason; or the line is no single input",
        ),
        PublishedColumn(
            "effect_pp",
            "number",
            "percentage points",
            "Part of the customer's risk; of an input, of its difference from the risk of the average customer: above "
            "0 raises it. Single parts exceed the difference where others pull the other way. To a tenth where the "
            "input speaks of other customers.",
        ),
        PublishedColumn("sentence", "text", "", "The reason in plain language; names nobody else."),
        _RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

CHANGES = PublishedTable(
    "changes",
    "What moved the risk of the customers on the list since the night before: inputs, the largest move first; then "
    "`other inputs` (all without a line of their own, and all that other customers did), `survey answer`, `another "
    "model` or `new calibration` (last night's inputs judged by tonight's model), `later data`; or, alone, `inputs not "
    "kept` or `not scored before`. The lines of a customer add up: sum(effect_pp) = 100 x (risk tonight - risk then).",
    ("as_of", "customer_id", "position"),
    (
        _AS_OF,
        _CUSTOMER,
        _POSITION,
        PublishedColumn("since", "date", "", "The night compared with.", "not scored in the night before"),
        PublishedColumn(
            "feature",
            "text",
            "",
            "Name of the feature in the catalogue, or of a line that is no single input.",
        ),
        PublishedColumn(
            "value_before",
            "text",
            "the feature's unit",
            "The customer's own value in the night before, as text.",
            "unknown then, or the line is no single input",
        ),
        PublishedColumn(
            "value_now",
            "text",
            "the feature's unit",
            "The customer's own value tonight, as text.",
            "unknown tonight, or the line is no single input",
        ),
        PublishedColumn(
            "effect_pp",
            "number",
            "percentage points",
            "How much it moved the customer's risk; above 0 raised it.",
            "not scored in the night before",
        ),
        PublishedColumn("sentence", "text", "", "What it is and was, in plain language; names nobody else."),
        _RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

SHADOW_SCORES = PublishedTable(
    "shadow_scores",
    "What the challenger, the newest fit model that is not in use, says of the same customers on the same night: to "
    "watch it before it is promoted. Nobody acts on it. Not there without a challenger, nor where it lacks a feature.",
    ("as_of", "customer_id"),
    (
        _AS_OF,
        _CUSTOMER,
        _RISK,
        PublishedColumn(
            "risk_low",
            "number",
            "probability",
            "Lower end of the Venn-Abers interval.",
            "the model has no interval",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "risk_high",
            "number",
            "probability",
            "Upper end of the Venn-Abers interval.",
            "the model has no interval",
            low=0,
            high=1,
        ),
        _BAND,
        PublishedColumn("model_version", "text", "", "The challenger's registered version."),
        PublishedColumn(
            "is_hindsight",
            "boolean",
            "",
            "The challenger learned from outcomes after as_of: do not judge it by this row.",
            "the model's training data carry no dates",
        ),
        _RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
    rising=("risk_low", "risk", "risk_high"),
)

NO_CALLS = "nobody's calls have come, or they may not be used for this customer, or the customer is a hub"
FEW_FRIENDS = "it would point at somebody: 1 to 4 ties, or fewer than 2 friends still at risk"
WITHHELD = (
    "withheld: fewer than 5 ties, or fewer than 2 of those tied did it, or fewer than 2 did not, so that no single "
    "one's doing can be inferred"
)
NETWORK = PublishedTable(
    "network",
    "Where each customer stands among the others: what reaches them through their ties, and what they pass on.",
    ("as_of", "customer_id"),
    (
        _AS_OF,
        _CUSTOMER,
        PublishedColumn(
            "n_ties", "integer", "customers", "Customers with a contact in the window.", NO_CALLS, low=0
        ),
        PublishedColumn(
            "strength", "number", "tie strength", "Sum of the strength of all ties.", NO_CALLS, low=0
        ),
        PublishedColumn(
            "detractor_exposure",
            "number",
            "share of ties",
            "Ties to customers whose latest answer, of the last 90 days, was that of a detractor (NPS 0-6; of those "
            "without NPS answers CSAT 1-2, without these CES 1-3). Rounded to 0.05. Predictive, not causal.",
            f"{WITHHELD}; or no survey answers, or {NO_CALLS}",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "churn_exposure",
            "number",
            "share of ties",
            "Ties to customers who left in the last 90 days. Rounded to 0.05. Predictive, not causal.",
            f"{WITHHELD}; or {NO_CALLS}",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "detractor_influence",
            "number",
            "customer's currency",
            "risk x churn_influence of a detractor: what is expected to be lost around them because they leave. 0 when "
            "the latest answer says otherwise.",
            f"no answer is known, or churn_influence is null ({NO_CALLS}; {FEW_FRIENDS}; nobody around is of known "
            "value)",
            low=0,
        ),
        PublishedColumn(
            "churn_influence",
            "number",
            "customer's currency",
            "Value expected to be lost around the customer if they leave: kappa x sum over friends of attention x risk "
            "x value, kappa from the causal effect in [influence] (science.md). 0 without ties.",
            f"{NO_CALLS}; or {FEW_FRIENDS}; or friends are at risk but no one's value is known",
            low=0,
        ),
        PublishedColumn(
            "promoter_influence",
            "number",
            "customer's currency",
            "(1 - risk) x churn_influence of a promoter: what their staying spares around them. 0 when the latest "
            "answer says otherwise.",
            f"no answer is known, or churn_influence is null ({NO_CALLS}; {FEW_FRIENDS}; nobody around is of known "
            "value)",
            low=0,
        ),
        PublishedColumn(
            "community",
            "integer",
            "label",
            "Community of the customer: those who are mostly in contact with each other. A name for this date; the "
            "same number may mean another community at another date.",
            f"no tie, or {NO_CALLS}",
            low=0,
        ),
        PublishedColumn(
            "offnet_share",
            "number",
            "share of contacts",
            "Contacts with numbers outside the customer base.",
            f"no contacts, or {NO_CALLS}",
            low=0,
            high=1,
        ),
        _RUN,
    ),
)

TIES = PublishedTable(
    "ties",
    "Pairs of customers in contact; few may read it, and it is off unless [privacy] publish_ties.",
    ("as_of", "customer_a", "customer_b"),
    (
        _AS_OF,
        PublishedColumn("customer_a", "text", "", "The one whose id sorts first."),
        PublishedColumn("customer_b", "text", "", "The other."),
        PublishedColumn("strength", "number", "tie strength", "How strong the tie is.", low=0),
        PublishedColumn("n_contacts", "integer", "contacts", "Contacts in the window, both ways.", low=1),
        PublishedColumn("active_days", "integer", "days", "Days with at least one contact.", low=1),
        PublishedColumn(
            "reciprocity",
            "number",
            "share",
            "2 min(n_ab, n_ba) / (n_ab + n_ba).",
            "the contacts carry no direction",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "overlap",
            "number",
            "share",
            "Common neighbours among all neighbours (Onnela et al. 2007).",
            "neither has another tie",
            0,
            1,
        ),
        PublishedColumn(
            "last_contact_on", "date", "", "Day of the last contact in the window, in the configured zone."
        ),
        _RUN,
    ),
    is_restricted=True,
)

AT_RISK = PublishedTable(
    "at_risk",
    "The list for the retention team: highest risk x (value + spillover_value) first, as many who may be contacted as "
    "the team can call. "
    "Those ranked above the last of them who refuse contact stand in it too, marked, so that refusals can be counted. "
    "lists/YYYY-MM-DD/at_risk.csv and .xlsx hold only those to call, numbered from 1, the columns of [lists] carry "
    "first: without may_contact and run_id, with at_stake (risk x value) and at_stake_around (risk x spillover_value).",
    ("as_of", "position"),
    (
        _AS_OF,
        _POSITION,
        _CUSTOMER,
        _RISK,
        _BAND,
        _VALUE,
        PublishedColumn(
            "spillover_value",
            "number",
            "customer's currency",
            "Value expected to be lost around the customer if they leave (network.churn_influence).",
            f"{NO_CALLS}; or {FEW_FRIENDS}; or friends are at risk but no one's value is known",
            low=0,
        ),
        PublishedColumn("offer_id", "text", "", "The offer proposed.", "no offer is proposed"),
        PublishedColumn(
            "reasons", "text", "", "The reasons that raise the risk, as sentences.", "nothing raises the risk"
        ),
        PublishedColumn(
            "changed",
            "text",
            "",
            "How much the risk changed since the night before, and its largest moves, as sentences.",
            "not scored in the night before, or the run was a backfill",
        ),
        PublishedColumn(
            "may_contact", "boolean", "", "Whether the customer may be contacted; false is never in lists/."
        ),
        _RUN,
    ),
    references={"customer_id": ("scores", "customer_id")},
)

FEATURES = PublishedTable(
    "features",
    "What the model saw of each customer scored, but for what other customers did (exposures): exact figures of "
    "several windows and directions would give single ones away.",
    ("as_of", "customer_id"),
    (_AS_OF, _CUSTOMER, _RUN),
    open_note="Then one column per feature, as the feature catalogue declares it (docs/features.md).",
    min_rows=1,
)

MONITORING_WORDS: Mapping[str, tuple[str, ...]] = {
    "kind": ("source", "population", "input", "missing", "score", "calibration", "performance"),
    "baseline": ("last_night", "training", "outcomes", "test", "none"),
    "verdict": (
        *("there", "missing", "shrunk"),
        *("steady", "moved", "drift", "strong drift"),
        *("calibrated", "off", "miscalibrated"),
        *("as expected", "below", "not valid", "not judged"),
    ),
}
"""Words of the table monitoring, in their order."""

MONITORING = PublishedTable(
    "monitoring",
    "What was watched in the night: sources, customers, drift of inputs and risks, predictions that have come true or "
    "not, and what tonight's risks promise. docs/operations.md says what to do about each.",
    ("as_of", "kind", "baseline", "name"),
    (
        _AS_OF,
        PublishedColumn(
            "kind",
            "text",
            "",
            "source: facts known. population: customers scored. input, score: distribution of an input, of the risk. "
            "missing: share without a value. calibration: matured predictions of untreated customers. performance: "
            "what risks promise of themselves.",
            words=MONITORING_WORDS["kind"],
        ),
        PublishedColumn(
            "baseline",
            "text",
            "",
            "What it is compared with: the last published night, the training, what really happened (outcomes), or the "
            "test of the model.",
            words=MONITORING_WORDS["baseline"],
        ),
        PublishedColumn("name", "text", "", "The source, input, band (or all, controls, slope) or figure."),
        PublishedColumn(
            "source", "text", "", "The source an input is made from.", "not an input, or not known"
        ),
        PublishedColumn("baseline_on", "date", "", "Day of the baseline.", "it has no day"),
        PublishedColumn(
            "value",
            "number",
            "",
            "input, score: population stability index. source, population: tonight over before. missing: tonight minus "
            "before. calibration: observed over expected, or the slope. performance: the figure promised.",
            "there is no baseline, or it is not defined",
        ),
        PublishedColumn(
            "low", "number", "", "Lower end of the 95 % interval of value.", "value has no interval"
        ),
        PublishedColumn("high", "number", "", "Upper end.", "value has no interval"),
        PublishedColumn(
            "threshold",
            "number",
            "",
            "input, score: the index that chance alone stays under in 95 % of nights. performance: lower end of the "
            "test's interval.",
            "none",
        ),
        PublishedColumn("p_value", "number", "", "Of no movement, of right risks.", "not tested", 0, 1),
        PublishedColumn(
            "q_value",
            "number",
            "",
            "The same, for all tests of the kind and baseline together (Benjamini & Hochberg).",
            "not tested",
            low=0,
            high=1,
        ),
        PublishedColumn(
            "observed",
            "number",
            "",
            "source: facts tonight. population: customers. missing: share. score: mean risk. calibration: leavers. "
            "performance: the figure as it came out.",
            "none of these",
        ),
        PublishedColumn("expected", "number", "", "The same at the baseline.", "none of these, or not known"),
        PublishedColumn("n", "integer", "customers", "Customers compared, tonight.", "not counted", 0),
        PublishedColumn("n_before", "integer", "customers", "Customers of the baseline.", "not counted", 0),
        PublishedColumn(
            "verdict",
            "text",
            "",
            "What to think of it; docs/operations.md.",
            words=MONITORING_WORDS["verdict"],
        ),
        PublishedColumn("advice", "text", "", "What should be done.", "nothing needs to be done"),
        _RUN,
    ),
)

RUN_LOG = PublishedTable(
    "run_log",
    "One row per run that published or failed: what it read, made and warned of.",
    ("run_id",),
    (
        _RUN,
        _AS_OF,
        PublishedColumn("command", "text", "", "The command."),
        PublishedColumn(
            "outcome",
            "text",
            "",
            "Whether its tables were published, or a model promoted.",
            words=("published", "failed", "promoted"),
        ),
        PublishedColumn("started_at", "instant", "UTC", "When it started."),
        PublishedColumn("seconds", "number", "s", "How long it took until publishing.", low=0),
        PublishedColumn("n_rows", "text", "JSON", "Rows per table: {table: rows}."),
        PublishedColumn("fingerprints", "text", "JSON", "Hash of the content per input: {source: hash}."),
        PublishedColumn("model_version", "text", "", "The model used.", "no model was used"),
        PublishedColumn("warnings", "text", "JSON", "Warnings, or the faults of a failed run: [sentence]."),
    ),
    is_log=True,
)

PUBLISHED: dict[str, PublishedTable] = {
    table.name: table
    for table in (
        SCORES,
        REASONS,
        CHANGES,
        AT_RISK,
        NETWORK,
        TIES,
        FEATURES,
        MONITORING,
        SHADOW_SCORES,
        RUN_LOG,
    )
}
"""Every published table of this version by name."""

RULES: dict[str, TableRule] = {name: table.rule for name, table in PUBLISHED.items()}
"""The same for audits and publishing."""


def published_markdown() -> str:
    """Document every published table."""
    return "\n".join(table.markdown() for table in PUBLISHED.values())
