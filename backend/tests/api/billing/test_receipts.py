"""Documents, and the ledger as a file, over HTTP."""

import csv
import io
from typing import Any

import pytest
from pypdf import PdfReader

from apps.billing.models import BillingProfile
from apps.tenants.types import Actor
from tests.api_client import Client, client_for
from tests.factories.accounts import make_actor
from tests.factories.billing import fund, make_hold, make_refund, publish_prices, settle
from tests.factories.payments import make_card_payment, make_credit_note, make_receipt

pytestmark = pytest.mark.django_db

INVOICES = "/api/billing/invoices/"
EXPORT = "/api/billing/reserve/ledger/export.csv"


@pytest.fixture
def actor() -> Actor:
    return make_actor()


@pytest.fixture
def client(actor: Actor) -> Client:
    client = client_for(actor)
    client.get("/api/billing/plans/")
    return client


def read_pdf(answer: Any) -> str:
    return "\n".join(page.extract_text() for page in PdfReader(io.BytesIO(answer.content)).pages)


def read_csv(answer: Any) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(answer.streaming_content).decode("utf-8-sig"))))


def test_documents_are_listed_newest_first(actor: Actor, client: Client) -> None:
    receipt = make_receipt(actor.tenant)
    make_credit_note(make_refund(make_card_payment(actor.tenant), 1_000_000))
    [note, listed] = client.get(INVOICES).json()["results"]
    assert listed == {
        "id": str(receipt.id),
        "kind": "receipt",
        "kind_label": "Receipt",
        "number": "R-000001",
        "amount_micros": 25_000_000,
        "amount_cents": 2500,
        "currency": "USD",
        "issued_at": "2026-03-14T09:26:53.589793Z",
        "subject_label": "Prepaid credit",
    }
    assert (note["number"], note["subject_label"], note["amount_cents"]) == ("C-000001", "Refund", 100)


def test_a_page_of_documents_takes_one_query_beside_the_token(
    actor: Actor, client: Client, django_assert_num_queries: Any
) -> None:
    for _ in range(3):
        make_receipt(actor.tenant)
    with django_assert_num_queries(2):
        client.get(INVOICES)


def test_a_receipt_is_a_pdf_that_says_who_paid_what_to_whom(actor: Actor, client: Client, settings: Any) -> None:
    settings.SELLER_NAME, settings.SELLER_ADDRESS, settings.SELLER_TAX_ID = "Seller Ltd", "1 Road\nLondon", "GB1"
    wish = {"billing_name": "Ada #strong[L] *b*", "billing_address": "2 Lane\nParis", "tax_id": "FR9"}
    client.patch("/api/billing/profile/", wish)
    receipt = make_receipt(actor.tenant, cents=102_500)
    answer = client.get(f"{INVOICES}{receipt.id}/pdf/")
    assert (answer.status_code, answer["Content-Type"]) == (200, "application/pdf")
    assert answer["Content-Disposition"] == 'attachment; filename="afterresume-receipt-R-000001.pdf"'
    text = read_pdf(answer)
    for shown in ("Receipt", "R-000001", "Seller Ltd", "1 Road", "Tax ID GB1", "Ada #strong[L] *b*", "2 Lane", "FR9"):
        assert shown in text
    for shown in ("Prepaid credit", "1,025.00 USD", "Total paid", "Visa ending in 4242", "14 March 2026"):
        assert shown in text


def test_a_document_stays_as_it_was_issued(actor: Actor, client: Client) -> None:
    BillingProfile.objects.filter(tenant_id=actor.tenant).update(billing_name="Before")
    receipt = make_receipt(actor.tenant)
    BillingProfile.objects.filter(tenant_id=actor.tenant).update(billing_name="After")
    first, again = (client.get(f"{INVOICES}{receipt.id}/pdf/").content for _ in range(2))
    assert first == again
    assert "Before" in PdfReader(io.BytesIO(first)).pages[0].extract_text()


@pytest.mark.failure("T01")
def test_another_tenants_document_is_not_found(actor: Actor, client: Client) -> None:
    receipt = make_receipt(make_actor().tenant)
    assert client.get(f"{INVOICES}{receipt.id}/pdf/").status_code == 404
    assert client.get(INVOICES).json()["results"] == []


def test_the_ledger_as_a_file(actor: Actor, client: Client) -> None:
    publish_prices()
    fund(actor.tenant, 4_200_000)
    settle(make_hold(actor.tenant, 1000), 370)
    answer = client.get(EXPORT)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert answer["Content-Disposition"] == 'attachment; filename="afterresume-ledger.csv"'
    usage, promo = read_csv(answer)
    assert (usage["seq"], usage["kind"], usage["amount_micros"], usage["amount_dollars"]) == (
        "2",
        "usage",
        "-370",
        "-0.00037",
    )
    assert usage["explanation"].endswith("= $0.00037")
    assert (promo["balance_after_micros"], promo["currency"], promo["job_id"]) == ("4200000", "USD", "")


def test_the_file_takes_the_same_filters(actor: Actor, client: Client) -> None:
    fund(actor.tenant, 10)
    assert len(read_csv(client.get(EXPORT, {"kind": "promo_credit"}))) == 1
    assert read_csv(client.get(EXPORT, {"kind": "usage"})) == []
    assert client.get(EXPORT, {"kind": "gift"}).status_code == 400


def test_a_file_longer_than_a_batch_misses_nothing(actor: Actor, client: Client, monkeypatch: Any) -> None:
    monkeypatch.setattr("apps.billing.selectors_payments._BATCH", 2)
    for _ in range(5):
        fund(actor.tenant, 10)
    assert [row["seq"] for row in read_csv(client.get(EXPORT))] == ["5", "4", "3", "2", "1"]


@pytest.mark.failure("T01")
def test_the_file_has_ones_own_rows_only(actor: Actor, client: Client) -> None:
    fund(make_actor().tenant, 10)
    assert read_csv(client.get(EXPORT)) == []
