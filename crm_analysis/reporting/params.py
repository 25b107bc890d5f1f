"""
Parameters of the reports: one frozen model a notebook, checked before a kernel starts.

How a suite's file and the command line give them belongs in :mod:`crm_analysis.reporting.suites`.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Annotated, Any, ClassVar, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from crm_analysis.tables.validation import validated


def _plain_day(value: object) -> object:
    """Let a day be written ``2017-12-31``, as papermill hands it over, but no number or time."""
    return date.fromisoformat(value) if isinstance(value, str) else value


Day = Annotated[date, BeforeValidator(_plain_day)]
Attribute = str | int | float | bool
HistoryDays = Annotated[int, Field(ge=30, le=3650, description="days of purchases looked back on")]


class ReportParams(BaseModel):
    """Parameters that every report has; an unknown, mistyped or out-of-range one is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    report: ClassVar[str]
    judges_data: ClassVar[bool] = False  # whether the report is made of data that break their contract

    dataset: Annotated[str, Field(min_length=1, description="name in params/datasets/, or a path")] = "complete_journey"
    as_of: Annotated[Day | None, Field(description="last day known, inclusive; null: the last in the data")] = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1, description="start of everything random")] = 0
    where: Annotated[
        dict[str, Attribute] | None, Field(description="only customers with these attributes, {name: value}")
    ] = None
    out: Annotated[str | None, Field(description="folder for tables/ and models/; null: nothing is written")] = None
    clear_ids: Annotated[bool, Field(description="lists in tables/ show customer ids as they are in the source")] = (
        False
    )

    @classmethod
    def checked(cls, values: Mapping[str, Any], *, where: str) -> Self:
        """
        Return parameters from outside, all faults at once.

        Parameters
        ----------
        values : mapping
            Name to value.
        where : str
            Where they come from, for the message.

        Returns
        -------
        ReportParams
            An instance.

        Raises
        ------
        ParamsError
            Any fault.
        """
        return validated(cls, dict(values), where=where)


class DataQualityParams(ReportParams):
    """Parameters of ``notebooks/data_quality.ipynb``."""

    report: ClassVar[str] = "data_quality"
    judges_data: ClassVar[bool] = True

    n_priorities: Annotated[int, Field(ge=1, le=100, description="faults listed under what to fix first")] = 10
    n_levels: Annotated[int, Field(ge=1, le=50, description="most frequent values listed of a text column")] = 5


GroupingFeature = Literal[
    "recency_days",
    "frequency",
    "monetary_value",
    "spend",
    "tenure_days",
    "inter_purchase_days",
    "recent_spend",
    "recent_frequency",
    "basket_size",
    "discount_share",
    "return_share",
    "service_contacts",
]


class SegmentationParams(ReportParams):
    """Parameters of ``notebooks/segmentation.ipynb``."""

    report: ClassVar[str] = "segmentation"

    history_days: HistoryDays = 365
    group_by: Annotated[
        list[GroupingFeature], Field(min_length=1, max_length=8, description="features by which customers are grouped")
    ] = ["recency_days", "frequency", "monetary_value"]
    max_segments: Annotated[int, Field(ge=2, le=12, description="largest number of groups tried")] = 8
    min_stability: Annotated[
        float, Field(ge=0, le=1, description="least adjusted Rand index between bootstrap samples")
    ] = 0.8
    n_bootstraps: Annotated[int, Field(ge=5, le=500, description="bootstrap samples for the stability")] = 20
    learned_model: Annotated[
        str | None,
        Field(min_length=1, description="folder of a saved model whose segments are kept; null: learned anew"),
    ] = None
    needs_column: Annotated[
        Literal["category", "product_id", "channel"], Field(description="what tells apart what customers need")
    ] = "category"
    movement_days: Annotated[
        int, Field(ge=7, le=1830, description="days between the two days at which segments are compared")
    ] = 90

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        if len(set(self.group_by)) < len(self.group_by):
            raise ValueError(f"group_by names a feature twice: {self.group_by}")
        return self


class ForecastingParams(ReportParams):
    """Parameters of ``notebooks/forecasting.ipynb``."""

    report: ClassVar[str] = "forecasting"

    horizon_days: Annotated[int, Field(ge=7, le=730, description="days forecast, and days of the hold-out")] = 90
    history_days: HistoryDays = 365
    n_origins: Annotated[int, Field(ge=2, le=24, description="earlier days from which models are trained")] = 8
    exact_svr_rows: Annotated[
        int,
        Field(ge=200, le=20_000, description="rows up to which support vector regression is exact; beyond: landmarks"),
    ] = 4000
    period: Annotated[
        Literal["week", "month"], Field(description="steps in which the business as a whole is forecast")
    ] = "week"
    value_days: Annotated[
        int, Field(ge=30, le=3650, description="days ahead that a customer's lifetime value covers")
    ] = 365
    annual_discount_rate: Annotated[
        float, Field(ge=0, le=1, description="share by which money a year later is worth less")
    ] = 0.1

    @model_validator(mode="after")
    def _history_covers_the_horizon(self) -> Self:
        if self.history_days < self.horizon_days:
            raise ValueError(f"history_days {self.history_days} is shorter than horizon_days {self.horizon_days}")
        return self


class ServiceQualityParams(ReportParams):
    """Parameters of ``notebooks/service_quality.ipynb``."""

    report: ClassVar[str] = "service_quality"

    outcome: Annotated[
        Literal["sla_missed", "low_satisfaction", "long_resolution", "reopened"],
        Field(description="what is to be foreseen in a case"),
    ] = "sla_missed"
    holdout_from: Annotated[Day | None, Field(description="first day judged on; null: by holdout_share")] = None
    holdout_to: Annotated[Day | None, Field(description="last day judged on; null: as_of")] = None
    holdout_share: Annotated[float, Field(ge=0.05, le=0.6, description="latest share of cases, the hold-out")] = 0.3
    low_satisfaction_at_most: Annotated[int, Field(ge=1, le=4, description="marks that count as low, 1 to 5")] = 2
    long_resolution_hours: Annotated[
        float, Field(gt=0, le=8760, description="hours after which a resolution counts as long")
    ] = 72
    age_hours: Annotated[
        float, Field(ge=0, le=2160, description="hours since its opening at which a case is foreseen; 0: when it opens")
    ] = 0
    extra_features: Annotated[
        list[str],
        Field(max_length=20, description="further columns of service_cases that are known when a case opens"),
    ] = []
    known_at_opening: Annotated[
        list[str],
        Field(
            max_length=20, description="those of extra_features that are known at the opening, whatever they look like"
        ),
    ] = []
    max_tree_depth: Annotated[int, Field(ge=1, le=8, description="questions a rule of the tree asks")] = 4
    n_trees: Annotated[int, Field(ge=20, le=2000, description="trees of the forest")] = 200
    review_share: Annotated[float, Field(gt=0, le=0.5, description="share of cases that a team can review")] = 0.1
    compare_groups: Annotated[
        list[str],
        Field(max_length=5, description="customer attributes between whose groups service and errors are compared"),
    ] = []
    volume_days: Annotated[int, Field(ge=7, le=90, description="days ahead for which cases and staff are planned")] = 28
    handling_minutes: Annotated[
        float, Field(gt=0, le=480, description="minutes of work a case takes; not the time to its resolution")
    ] = 12
    answer_share: Annotated[float, Field(gt=0, lt=1, description="share of contacts to be answered in time")] = 0.8
    answer_seconds: Annotated[float, Field(ge=0, le=3600, description="seconds within which is in time")] = 20
    window_days: Annotated[
        int, Field(ge=7, le=365, description="days of purchases before and after a bad experience that are compared")
    ] = 60

    @model_validator(mode="after")
    def _period(self) -> Self:
        if self.holdout_from and self.holdout_to and self.holdout_to < self.holdout_from:
            raise ValueError(f"holdout_to {self.holdout_to} lies before holdout_from {self.holdout_from}")
        return self


PARAMS: Mapping[str, type[ReportParams]] = {
    model.report: model for model in (DataQualityParams, SegmentationParams, ForecastingParams, ServiceQualityParams)
}


def described(report: str) -> list[tuple[str, str, str, str]]:
    """
    Describe a report's parameters for people.

    Parameters
    ----------
    report : str
        A key of :data:`PARAMS`.

    Returns
    -------
    list of tuple
        Name, type with its range, default, meaning with its unit.

    Examples
    --------
    >>> described("segmentation")[2]
    ('seed', 'integer, 0 to 4294967295', '0', 'start of everything random')
    """
    schema = PARAMS[report].model_json_schema()
    return [
        (name, _type_in_words(field), _default(field), str(field.get("description", "")))
        for name, field in schema["properties"].items()
    ]


def _type_in_words(field: Mapping[str, Any]) -> str:
    if "enum" in field:
        return " or ".join(str(value) for value in field["enum"])
    if "anyOf" in field:
        return " or ".join(_type_in_words(choice) for choice in field["anyOf"])
    if field["type"] == "array":
        return f"list of {', '.join(map(str, field['items'].get('enum', ['text'])))}"
    names = {"string": "text", "object": "mapping"}
    words = "day" if field.get("format") == "date" else names.get(field["type"], field["type"])
    low, high = field.get("minimum", field.get("exclusiveMinimum")), field.get("maximum")
    return f"{words}, {low} to {high}" if low is not None and high is not None else str(words)


def _default(field: Mapping[str, Any]) -> str:
    default = field.get("default")
    return "null" if default is None else str(default)
