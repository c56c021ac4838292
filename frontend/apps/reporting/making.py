"""What the page for a new report works with: the entries of a period, those chosen, and what they would cost."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from apps.backend.client import BackendClient
from apps.backend.errors import BackendError, BackendUnavailable, Invalid, NotAuthenticated
from apps.backend.reports import Estimate, ReportRequest
from apps.backend.worklogs import Entry, EntryFilters
from apps.reporting.periods import Period

# The backend makes a report of no more than this.
MAX_ENTRIES: Final = 500
_PAGE: Final = 100
NOTHING_CHOSEN: Final = "Choose at least one entry."
NO_PRICE_NOW: Final = "The price cannot be worked out at the moment. Try again shortly."


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Entries to choose from, newest first. `is_cut`: the period has more of them than a report may rest on."""

    entries: tuple[Entry, ...] = ()
    is_cut: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pricing:
    """The estimate, or why there is none."""

    estimate: Estimate | None = None
    problem: str = ""

    @property
    def is_open(self) -> bool:
        """Whether the report can be started."""
        return self.estimate is not None and self.estimate.is_affordable

    @property
    def may_end_below_zero(self) -> bool:
        """The policy lets it start although the balance might not cover all of it."""
        return (
            self.is_open and self.estimate is not None and self.estimate.at_most_micros > self.estimate.available_micros
        )

    @property
    def can_retry(self) -> bool:
        return self.problem == NO_PRICE_NOW


def list_material(client: BackendClient, period: Period) -> Material:
    """The entries of the period, at most MAX_ENTRIES of them."""
    filters = EntryFilters(from_day=period.first, to_day=period.last)
    found: list[Entry] = []
    cursor: str | None = None
    while True:
        page = client.worklogs.list(filters=filters, cursor=cursor, page_size=_PAGE)
        found.extend(page)
        cursor = page.next_cursor
        if cursor is None or len(found) >= MAX_ENTRIES:
            return Material(entries=tuple(found[:MAX_ENTRIES]), is_cut=cursor is not None)


def price(client: BackendClient, request: ReportRequest) -> Pricing:
    """What the report would cost at most. A refusal is an answer here: it says why there is no price."""
    if not request.entry_ids:
        return Pricing(problem=NOTHING_CHOSEN)
    try:
        return Pricing(estimate=client.reports.estimate(request=request))
    except NotAuthenticated:
        raise
    except BackendUnavailable:
        return Pricing(problem=NO_PRICE_NOW)
    except BackendError as error:
        return Pricing(problem=sentences_of(error))


def sentences_of(error: BackendError) -> str:
    """All that the backend said about the fields, or its one sentence."""
    if isinstance(error, Invalid) and error.fields:
        return " ".join(sentence for sentences in error.fields.values() for sentence in sentences)
    return error.message


def read_ids(texts: Iterable[str]) -> tuple[UUID, ...]:
    """The ids among `texts`, each once; anything else is left out."""
    found: dict[UUID, None] = {}
    for text in texts:
        try:
            found[UUID(text)] = None
        except ValueError:
            continue
    return tuple(found)
