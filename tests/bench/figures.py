"""Figures of a run, their ratios to references, and the table that shows them."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from math import ceil
from statistics import median
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value, what it is compared with, and what it ought to reach.

    `aim` is about the ratio where there is a reference, else about the value. `rounds` are the values that `value` is
    the median of; `is_ceiling` says that less is better.
    """

    id: str
    what: str
    value: float
    unit: str
    reference_name: str = ""
    reference: float | None = None
    aim: float | None = None
    is_ceiling: bool = False
    rounds: tuple[float, ...] = ()
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """The value in units of its reference, or None without one."""
        return self.value / self.reference if self.reference else None

    @property
    def is_reached(self) -> bool | None:
        """Whether the aim is reached; None without an aim."""
        judged = self.value if self.reference is None else self.ratio
        if self.aim is None or judged is None:
            return None
        return judged <= self.aim if self.is_ceiling else judged >= self.aim

    def to_json(self) -> dict[str, Any]:
        """The figure with its ratio and its verdict."""
        return {**asdict(self), "ratio": self.ratio, "is_reached": self.is_reached}


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that at least this share (0 to 1) of the values do not exceed."""
    if not values:
        raise ValueError("There is no percentile of nothing.")
    ordered = sorted(values)
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def middle(rounds: Sequence[float]) -> float:
    """The median of several rounds."""
    return median(rounds)


def render_table(figures: Sequence[Figure]) -> str:
    """The figures as a Markdown table."""
    head = ["id", "what", "measured", "reference", "ratio", "aim", ""]
    return _markdown([head, ["---"] * len(head), *(_cells(figure) for figure in figures)])


def render_environment(environment: Mapping[str, str]) -> str:
    """The environment as a Markdown list."""
    return "\n".join(f"- {name}: {value}" for name, value in environment.items())


def _markdown(rows: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def _cells(figure: Figure) -> list[str]:
    verdict = {True: "reached", False: "**short**", None: ""}[figure.is_reached]
    reference = "" if figure.reference is None else f"{figure.reference_name}: {_number(figure.reference)}"
    ratio = "" if figure.ratio is None else f"{figure.ratio:.2f}"
    return [
        figure.id,
        figure.what,
        f"{_number(figure.value)} {figure.unit}",
        reference,
        ratio,
        _aim(figure),
        " ".join(part for part in (verdict, figure.note) if part),
    ]


def _aim(figure: Figure) -> str:
    if figure.aim is None:
        return ""
    unit = f" {figure.unit}" if figure.reference is None else ""
    return f"{'<=' if figure.is_ceiling else '>='} {figure.aim:g}{unit}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}"
