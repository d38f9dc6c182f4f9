"""What a study's JSON document must look like before any of it is believed.

    {"format": "efficiency-study", "format_version": 2,
     "study": {"id": ..., "asked": {...}, "machine": {...}, ...},
     "rows": [{"columns": {...}, "details": {...},
               "samples": {"replicate": [...], "round": [...], "ns": [...]} or null,
               "answers": {"predicted": [...], "labels": [...]} or null}, ...]}

Types are strict ("1" is no number), names that are not known are refused, and whole numbers are bounded by
what the database holds.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    create_model,
    field_validator,
    model_validator,
)

from efficiency.errors import BadRequest
from efficiency.results.columns import COLUMNS, STATUSES, Kind
from efficiency.results.values import LARGEST, LONGEST_NAME, plain, text

FORMAT = "efficiency-study"
FORMAT_VERSION = 2
"""1 had no columns after `phase`; documents of both are read."""

_Whole = Annotated[int, Field(ge=0, le=LARGEST)]
_Class = Annotated[int, Field(ge=0, le=65_535)]
_Text = Annotated[str, AfterValidator(text)]
_Json = Annotated[dict[str, Any], AfterValidator(plain)]
"""Anything that JSON holds, for which this program has no type."""
_SHAPE = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False)


class StudyPart(BaseModel):
    """The study's own fields; its id becomes a file's name, so that only plain characters may stand in it."""

    model_config = _SHAPE
    id: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,79}$")]
    name: Annotated[_Text, Field(max_length=LONGEST_NAME)]
    recorded_at: Annotated[str, Field(max_length=40)]
    status: Literal["queued", "running", "done", "failed", "cancelled", "interrupted"]
    message: _Text = ""
    asked: _Json
    machine: _Json
    torch_version: _Text
    version: _Text
    command: _Text

    @field_validator("recorded_at")
    @classmethod
    def _is_a_time(cls, value: str) -> str:
        """Times are compared as text and shown as UTC: one that names no zone is taken for that."""
        found = datetime.fromisoformat(value)
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC).isoformat(timespec="seconds")


class SamplesPart(BaseModel):
    """Raw latencies of a row, a call each."""

    model_config = _SHAPE
    replicate: list[_Whole]
    round: list[_Whole]
    ns: list[Annotated[int, Field(ge=1, le=LARGEST)]]

    @model_validator(mode="after")
    def _equally_long(self) -> SamplesPart:
        if not len(self.replicate) == len(self.round) == len(self.ns):
            raise ValueError("replicate, round and ns are not equally long")
        return self


class AnswersPart(BaseModel):
    """Class numbers of a row, a test row each."""

    model_config = _SHAPE
    predicted: list[_Class]
    labels: list[_Class]

    @model_validator(mode="after")
    def _equally_long(self) -> AnswersPart:
        if len(self.predicted) != len(self.labels):
            raise ValueError("predicted and labels are not equally long")
        return self


_MOST = 1e12
"""Of any figure: more is no measurement, and no page has room for it."""
_TYPES: dict[Kind, Any] = {
    "text": str,
    "number": float,
    "whole": _Whole,
    "flag": bool,
}
_INTERVALS = {
    "speedup": ("speedup_ci_low", "speedup_ci_high"),
    "runtime_speedup": ("runtime_speedup_ci_low", "runtime_speedup_ci_high"),
    "accuracy_pct": ("accuracy_ci_low_pct", "accuracy_ci_high_pct"),
    "latency_ms_p99": ("latency_ms_p99_ci_low", "latency_ms_p99_ci_high"),
}
"""The ends of a figure's interval, which hold it."""


def _column(name: str, kind: Kind) -> Any:
    """The type of a column; what cannot be measured, such as a latency below zero, is no study of this program."""
    if kind != "number":
        return _TYPES[kind]
    if name.endswith("_pp"):
        return Annotated[float, Field(ge=-100, le=100)]
    if name.endswith("_db"):
        return Annotated[float, Field(ge=-_MOST, le=_MOST)]  # more noise than signal is below 0
    # A control that takes three times the baseline's time, or weights that come from the cache, are above 100.
    share = name.endswith("_pct") and name not in {"noise_floor_pct", "ceiling_pct", "speedup_precision_pct"}
    if name.removeprefix("runtime_").startswith(("speedup", "size_ratio")) and not name.endswith("_pct"):
        return Annotated[float, Field(gt=0, le=_MOST)]
    return Annotated[float, Field(ge=0, le=100 if share else _MOST)]


_fields: dict[str, Any] = {name: (_column(name, kind) | None, None) for name, kind in COLUMNS.items()}
_fields["status"] = (Literal[STATUSES], ...)
ColumnsPart = create_model("ColumnsPart", __config__=_SHAPE, **_fields)
"""A row's columns by name; one that is left out is unknown."""


class RowPart(BaseModel):
    """A row with what it was derived from."""

    model_config = _SHAPE
    columns: ColumnsPart  # type: ignore[valid-type]
    details: _Json = {}
    samples: SamplesPart | None = None
    answers: AnswersPart | None = None

    @model_validator(mode="after")
    def _says_what_was_measured(self) -> RowPart:
        columns = self.columns.model_dump()  # type: ignore[attr-defined]
        if columns["status"] == "done" and not all(columns[name] for name in ("workload", "dataset", "variant")):
            raise ValueError("a row that is done names no workload, dataset or variant")
        for name, (low, high) in _INTERVALS.items():
            ends = [columns[one] for one in (low, name, high) if columns[one] is not None]
            if ends != sorted(ends):
                raise ValueError(f"{low}, {name} and {high} are not in this order")
        return self


class Document(BaseModel):
    """A whole study."""

    model_config = _SHAPE
    format: Literal["efficiency-study"]
    format_version: Literal[1, 2]
    study: StudyPart
    rows: list[RowPart]


def parse(document: object) -> Document:
    """The document, checked; raises `BadRequest` with one sentence."""
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise BadRequest("This is not a study of this program; choose a JSON file that its export wrote.")
    version = document.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise BadRequest(
            f"This study was exported by a newer version of this program (document format {version}, this one "
            f"reads {FORMAT_VERSION}); update the program to import it."
        )
    try:
        return Document.model_validate(document)
    except ValidationError as error:
        problems = error.errors(include_url=False, include_context=False, include_input=False)
        where = ".".join(str(part) for part in problems[0]["loc"])
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        raise BadRequest(
            f"This study document is broken at {where[:80]!a}: {problems[0]['msg']}{more}; export it again."
        ) from error
    except RecursionError as error:
        raise BadRequest("This study document is nested too deeply; export it again.") from error
