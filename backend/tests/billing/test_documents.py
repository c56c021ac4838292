"""Receipts, credit notes and invoices."""

import io
from dataclasses import dataclass
from datetime import datetime

import pytest
from django.db import transaction
from pypdf import PdfReader

from apps.billing.models import BillingDocument, BillingProfile
from apps.billing.render import render_pdf
from apps.billing.services.payments.documents import issue_invoice, issue_receipt, name_card
from tests.factories.billing import NOW, make_payment, make_refund, make_reserve
from tests.factories.payments import make_checkout, make_credit_note, make_receipt

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


def read_pdf(document: BillingDocument) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(render_pdf(document=document))).pages)


@pytest.mark.parametrize(
    "name", ["#panic()", '"; #import "x"', "$x^2$ `code` <label> @ref", "\\u{41}", "// gone", "李雷"]
)
def test_what_a_customer_is_called_is_never_markup(name: str) -> None:
    tenant = make_reserve()
    BillingProfile.objects.filter(tenant_id=tenant).update(billing_name=name, billing_address=f"{name}\n" * 8)
    text = read_pdf(make_receipt(tenant))
    assert text.count(name) == 9


def test_an_invoice_of_many_lines_goes_over_several_pages() -> None:
    lines = tuple((f"Line {number}", 100) for number in range(80))
    with transaction.atomic():
        invoice = issue_invoice(
            tenant=make_reserve(), invoice=PaidInvoice(lines=lines, amount_paid_cents=8000), now=NOW
        )
    pages = PdfReader(io.BytesIO(render_pdf(document=invoice))).pages
    last = " ".join(pages[-1].extract_text().split())
    assert len(pages) > 2
    for shown in (f"I-000001 · {len(pages)} / {len(pages)}", "80.00 USD", "2026-03-01 to 2026-04-01"):
        assert shown in last


def test_a_document_of_which_an_erasure_blanked_the_customer_still_has_its_page() -> None:
    receipt = make_receipt(make_reserve())
    receipt.content = {name: value for name, value in receipt.content.items() if name not in {"customer", "method"}}
    text = read_pdf(receipt)
    assert "Blanked when the account was erased" in text
    assert "25.00 USD" in text


def test_a_payment_that_has_no_id_yet_has_no_receipt() -> None:
    attempt = make_checkout(make_reserve())
    with pytest.raises(ValueError, match="by an id"), transaction.atomic():
        issue_receipt(attempt=attempt, now=NOW)


@pytest.mark.parametrize(
    ("brand", "last4", "name"),
    [
        ("visa", "4242", "Visa ending in 4242"),
        ("amex", "0005", "American Express ending in 0005"),
        ("", "1234", "Card ending in 1234"),
        ("visa", "", ""),
    ],
)
def test_cards_have_the_names_that_people_know(brand: str, last4: str, name: str) -> None:
    assert name_card(brand=brand, last4=last4) == name
