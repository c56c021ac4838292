"""Receipts, credit notes and invoices."""

from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import transaction

from apps.billing.services.payments.documents import issue_invoice, issue_receipt
from tests.factories.billing import NOW, make_payment, make_refund, make_reserve
from tests.factories.payments import make_credit_note, make_receipt

pytestmark = pytest.mark.django_db


@dataclass(frozen=True)
class PaidInvoice:
    id: str = "in_1"
    number: str = "ABC-0001"
    subscription_id: str = "sub_1"
    amount_paid_cents: int = 1900
    lines: tuple[tuple[str, int], ...] = (("1 x Starter", 1900),)
    period_start: datetime | None = datetime(2026, 3, 1, tzinfo=NOW.tzinfo)
    period_end: datetime | None = datetime(2026, 4, 1, tzinfo=NOW.tzinfo)
    paid_at: datetime | None = NOW


def test_a_payment_has_one_receipt_however_often_it_is_announced() -> None:
    attempt = make_payment(make_reserve())
    with transaction.atomic():
        first, second = issue_receipt(attempt=attempt, now=NOW), issue_receipt(attempt=attempt, now=NOW)
    assert first.pk == second.pk
    assert str(first) == "R-000001"


def test_numbers_of_a_series_follow_each_other_over_all_customers() -> None:
    numbers = [str(make_receipt(make_reserve())) for _ in range(3)]
    assert numbers == ["R-000001", "R-000002", "R-000003"]


def test_each_kind_counts_by_itself_and_names_what_it_is_about() -> None:
    tenant = make_reserve()
    attempt = make_payment(tenant)
    with transaction.atomic():
        receipt = issue_receipt(attempt=attempt, now=NOW)
        invoice = issue_invoice(tenant=tenant, invoice=PaidInvoice(), now=NOW)
    note = make_credit_note(make_refund(attempt, 500))
    assert [str(receipt), str(invoice), str(note)] == ["R-000001", "I-000001", "C-000001"]
    assert note.content["references"][0] == {"label": "Receipt", "text": "R-000001"}
    assert (note.amount_micros, invoice.amount_micros) == (500, 19_000_000)
