"""What is unique is unique within one customer, so that no refusal tells what another customer has."""

from typing import Any, Final

import pytest
from django.apps import apps
from django.db import IntegrityError, models, transaction

from apps.billing.models import BillingProfile
from apps.billing.services.ledger import post_entry
from apps.common import clock
from apps.common.tenancy import TenantOwned
from apps.orchestration.models import Job
from apps.worklog.models import Employer, Project, Tag
from apps.worklog.services import create_entry
from apps.worklog.types import EntryDraft as WorklogDraft
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor
from tests.factories.billing import draft_of, make_payment
from tests.factories.orchestration import begin_report, make_writer

pytestmark = pytest.mark.django_db

DAY = clock.now().date()
# Unique over all customers: ids of the payment provider, which only its signed messages bring, and of invite passkeys,
# which the house makes. A payment or a promise is credited once in the whole house, whoever it is said to be for, and
# the house numbers its documents in one series for all.
HOUSE_WIDE: Final = {
    "BillingDocument.billing_document_number",
    "BillingDocument.billing_document_subject",
    "ReserveLedgerEntry.billing_entry_dispute",
    "ReserveLedgerEntry.billing_entry_payment",
    "ReserveLedgerEntry.billing_entry_promo",
    "ReserveLedgerEntry.billing_entry_refund",
}


def names_of(constraint: Any) -> set[str]:
    return {str(name) for name in constraint.fields}


def refers_to_own(model: type[models.Model], names: set[str]) -> bool:
    """Whether one of the fields is a row of the same customer, held there by a composite key, or a person."""
    fields = [model._meta.get_field(name) for name in names]
    return any(isinstance(field, models.ForeignKey) for field in fields)


@pytest.mark.failure("T06")
def test_every_unique_key_of_a_tenant_table_is_bound_to_the_tenant() -> None:
    loose = [
        f"{model.__name__}.{constraint.name}"
        for model in apps.get_models()
        if issubclass(model, TenantOwned)
        for constraint in model._meta.constraints
        if isinstance(constraint, models.UniqueConstraint) and constraint.fields
        if "tenant" not in names_of(constraint) and not refers_to_own(model, names_of(constraint))
    ]
    assert set(loose) == HOUSE_WIDE


@pytest.mark.failure("T06")
def test_the_same_names_serve_two_customers_without_either_noticing() -> None:
    drafts = [WorklogDraft(title="Shipped", occurred_on=DAY, employer="Acme", project="Atlas", tags=("python",))] * 2
    for draft in drafts:
        create_entry(actor=make_actor(), draft=draft, now=clock.now())
    assert [model.objects.count() for model in (Employer, Project, Tag)] == [2, 2, 2]


@pytest.mark.failure("T06")
def test_the_same_idempotency_key_serves_two_customers() -> None:
    writers = [make_writer(entries=1) for _ in range(2)]
    jobs = {begin_report(writer, key="k").pk for writer in writers}
    assert (len(jobs), Job.objects.count()) == (2, 2)
    body = {"title": "Shipped", "occurred_on": DAY.isoformat()}
    answers = [client_for(writer).post("/api/worklogs/", body, **with_key("k2")) for writer in writers]
    assert [answer.status_code for answer in answers] == [201, 201]
    assert answers[0].json()["id"] != answers[1].json()["id"]


@pytest.mark.failure("T06")
def test_the_id_of_another_customers_row_is_answered_like_one_that_never_was() -> None:
    mine, theirs = make_writer(entries=0), make_writer(entries=1)
    entry = client_for(theirs).get("/api/worklogs/").json()["results"][0]["id"]
    client = client_for(mine)
    never = "019ab0ef-0000-7000-8000-000000000000"
    for method in ("get", "patch", "delete"):
        real, made_up = (getattr(client, method)(f"/api/worklogs/{one}/", {"title": "x"}) for one in (entry, never))
        assert real.status_code == made_up.status_code == 404
        assert {**real.json(), "request_id": ""} == {**made_up.json(), "request_id": ""}


@pytest.mark.failure("T18")
def test_a_customer_of_the_payment_provider_belongs_to_one_tenant() -> None:
    first, second = make_actor(), make_actor()
    BillingProfile.objects.filter(tenant_id=first.tenant).update(stripe_customer_id="cus_1")
    with pytest.raises(IntegrityError, match="stripe_customer_id"), transaction.atomic():
        BillingProfile.objects.filter(tenant_id=second.tenant).update(stripe_customer_id="cus_1")
    assert BillingProfile.objects.get(stripe_customer_id="cus_1").tenant_id == first.tenant


@pytest.mark.failure("T18")
def test_a_payment_is_credited_to_one_tenant_however_often_it_is_reported() -> None:
    first, second = make_actor(), make_actor()
    payment = make_payment(first.tenant)
    with pytest.raises(IntegrityError, match="billing_entry_payment"), transaction.atomic():
        post_entry(tenant=second.tenant, draft=draft_of(payment), now=clock.now())


@pytest.mark.failure("T18")
def test_many_tenants_have_no_customer_there_yet() -> None:
    for actor in (make_actor(), make_actor()):
        assert BillingProfile.objects.get(tenant_id=actor.tenant).stripe_customer_id is None


@pytest.mark.failure("T18")
def test_nobody_sets_the_customer_of_the_payment_provider_over_the_api() -> None:
    actor = make_actor()
    client_for(actor).patch("/api/billing/profile/", {"stripe_customer_id": "cus_9", "billing_email": "a@example.org"})
    profile = BillingProfile.objects.get(tenant_id=actor.tenant)
    assert (profile.stripe_customer_id, profile.billing_email) == (None, "a@example.org")
