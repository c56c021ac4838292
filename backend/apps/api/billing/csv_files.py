"""The ledger as a file for spreadsheets, sent while it is read."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Final

from django.http import StreamingHttpResponse

from apps.billing.models import ReserveLedgerEntry
from apps.billing.selectors import explain_event
from apps.common.csv_cells import Cell, stream_csv
from apps.common.money import format_dollars

_MOVEMENT: Final = (
    "seq",
    "created_at",
    "kind",
    "amount_micros",
    "amount_dollars",
    "balance_after_micros",
    "currency",
    "description",
    "job_id",
)
CUSTOMER_HEADER: Final = (*_MOVEMENT, "explanation")
STAFF_HEADER: Final = (
    "tenant_id",
    "tenant",
    "id",
    *_MOVEMENT,
    "actor_id",
    "payment_intent_id",
    "refund_id",
    "dispute_id",
    "hash",
)


def answer_ledger(*, entries: Iterable[ReserveLedgerEntry]) -> StreamingHttpResponse:
    """A customer's own movements; each debit with why it was what it was."""
    rows = ([*_as_cells(entry), "; ".join(map(explain_event, entry.events.all()))] for entry in entries)
    return _answer(header=CUSTOMER_HEADER, rows=rows)


def answer_all_ledgers(*, entries: Iterable[ReserveLedgerEntry]) -> StreamingHttpResponse:
    """Everybody's movements, with what they rest on."""
    rows = (
        [
            entry.tenant_id,
            entry.tenant.name,
            entry.id,
            *_as_cells(entry),
            entry.actor_id,
            entry.payment_intent_id,
            entry.refund_id,
            entry.dispute_id,
            entry.hash,
        ]
        for entry in entries
    )
    return _answer(header=STAFF_HEADER, rows=rows)


def _as_cells(entry: ReserveLedgerEntry) -> list[Cell]:
    return [
        entry.seq,
        entry.created_at,
        entry.kind,
        entry.amount_micros,
        Decimal(format_dollars(entry.amount_micros)),
        entry.balance_after_micros,
        entry.currency,
        entry.description,
        entry.hold.job_id if entry.hold else None,
    ]


def _answer(*, header: tuple[str, ...], rows: Iterable[list[Cell]]) -> StreamingHttpResponse:
    answer = StreamingHttpResponse(stream_csv(header=header, rows=rows), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = 'attachment; filename="afterresume-ledger.csv"'
    return answer
