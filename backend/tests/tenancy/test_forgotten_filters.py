"""A program that forgets every filter by tenant still shows nobody else's rows: what row-level security is for."""

from collections.abc import Iterator
from datetime import date
from typing import Any, Final

import pytest
from django.db.models import Q, QuerySet
from django.urls import URLPattern, URLResolver, get_resolver

from apps.billing.models import BillingDocument, PaymentAttempt, UsageEvent
from apps.billing.types import Meter
from apps.common import scopes
from apps.common.ids import uuid7
from apps.reporting.models import Report
from apps.tenants.types import Actor
from apps.worklog.models import WorkLog
from tests.api_client import client_for
from tests.factories.accounts import make_actor
from tests.factories.orchestration import begin_report, make_writer, work
from tests.factories.payments import make_receipt
from tests.factories.worklog import make_entry

pytestmark = [pytest.mark.django_db, pytest.mark.failure("T04", "T07")]

MARKER: Final = "zanzibar"
# What says to whom a row belongs.
OWNERS: Final = ("tenant", "tenant_id", "author", "author_id", "account", "account_id")


def without_owner(condition: Any) -> Any:
    """The same condition, had its author forgotten about tenants."""
    if not isinstance(condition, Q):
        return condition
    kept = [without_owner(part) for part in condition.children if not names_owner(part)]
    return Q(*kept, _connector=condition.connector, _negated=condition.negated)


def names_owner(part: Any) -> bool:
    return isinstance(part, tuple) and part[0] in OWNERS


@pytest.fixture
def _forgetful_program(stranger: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every filter of every service and selector loses its tenant, once the stranger is there."""
    query_set: Any = QuerySet
    original = query_set._filter_or_exclude_inplace

    def forget(self: Any, negate: bool, args: Any, kwargs: Any) -> Any:
        kept = {name: value for name, value in kwargs.items() if name not in OWNERS}
        return original(self, negate, tuple(without_owner(arg) for arg in args), kept)

    monkeypatch.setattr(query_set, "_filter_or_exclude_inplace", forget)


@pytest.fixture
def stranger() -> Actor:
    """Another tenant with an entry, a finished report, a debit and its usage, and a payment with its receipt."""
    actor = make_writer(entries=0)
    make_entry(actor, f"Went to {MARKER}", employer=MARKER, project=MARKER, tags=(MARKER,), occurred_on=DAY)
    work(begin_report(actor, title=f"Report of {MARKER}"))
    make_receipt(actor.tenant)
    return actor


DAY: Final = date(2026, 11, 1)


def list_addresses() -> Iterator[str]:
    """Every address of the API without a parameter."""

    def walk(patterns: list[Any], start: str) -> Iterator[str]:
        for pattern in patterns:
            address = f"{start}{pattern.pattern}"
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, address)
            elif isinstance(pattern, URLPattern) and "<" not in address:
                yield f"/{address}"

    return (address for address in walk(get_resolver().url_patterns, "") if address.startswith("/api/"))


def crawl(actor: Actor, stranger: Actor) -> str:
    """All that the API shows to the actor, lists and details of the stranger's rows alike."""
    client = client_for(actor)
    entry, report = WorkLog.objects.get(tenant_id=stranger.tenant), Report.objects.get(tenant_id=stranger.tenant)
    details = [
        f"/api/worklogs/{entry.pk}/",
        f"/api/worklogs/{entry.pk}/versions/",
        f"/api/reports/{report.pk}/",
        f"/api/reports/{report.pk}/download/?format=markdown",
        f"/api/jobs/{report.job_id}/",
        f"/api/billing/usage/{get_call(stranger).pk}/",
        f"/api/billing/payments/{PaymentAttempt.objects.get(tenant_id=stranger.tenant).pk}/",
        f"/api/billing/invoices/{BillingDocument.objects.get(tenant_id=stranger.tenant).pk}/pdf/",
    ]
    answers = [client.get(address) for address in [*list_addresses(), f"/api/worklogs/?q={MARKER}", *details]]
    shown = [read(answer) for answer in answers if answer.status_code < 400]
    # What the caller asked for is repeated in links to further pages.
    return " ".join(text.replace(f"q={MARKER}", "") for text in shown)


def read(answer: Any) -> str:
    content: bytes = answer.getvalue() if answer.streaming else answer.content
    return content.decode(errors="replace")


def get_call(stranger: Actor) -> UsageEvent:
    """The stranger's question to the model; other things were metered as well."""
    return UsageEvent.objects.get(tenant_id=stranger.tenant, meter=Meter.LLM_TOKENS)


@pytest.mark.usefixtures("_forgetful_program")
def test_through_the_whole_api_nothing_of_another_tenant_appears(stranger: Actor) -> None:
    shown = crawl(make_actor(), stranger)
    assert MARKER not in shown
    assert str(stranger.tenant) not in shown
    for row in (get_call(stranger), PaymentAttempt.objects.get(), BillingDocument.objects.get()):
        assert str(row.pk) not in shown


@pytest.mark.usefixtures("_forgetful_program")
def test_without_the_policies_the_same_program_would_show_it(stranger: Actor, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scopes, "bind_tenant", lambda _tenant: scopes._scope.set(scopes.Scope(access=OPEN)))
    shown = crawl(make_actor(), stranger)
    assert shown.count(MARKER) > 5
    for row in (get_call(stranger), PaymentAttempt.objects.get(), BillingDocument.objects.get()):
        assert str(row.pk) in shown


OPEN: Final = scopes.Access.EVERYTHING


@pytest.mark.usefixtures("_forgetful_program")
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("patch", "worklogs/{entry}/", {"title": "Mine now", "version": 1}),
        ("delete", "worklogs/{entry}/", None),
        ("delete", "reports/{report}/", None),
        ("post", "jobs/{job}/cancel/", None),
        ("post", "jobs/{job}/retry/", None),
    ],
)
def test_nothing_of_another_tenant_is_changed(stranger: Actor, method: str, path: str, body: Any) -> None:
    entry, report = WorkLog.objects.get(tenant_id=stranger.tenant), Report.objects.get(tenant_id=stranger.tenant)
    address = path.format(entry=entry.pk, report=report.pk, job=report.job_id)
    answer = getattr(client_for(make_actor()), method)(
        f"/api/{address}", body, headers={"Idempotency-Key": str(uuid7())}
    )
    assert answer.status_code in {403, 404, 409}
    entry.refresh_from_db()
    assert (entry.version, entry.title) == (1, f"Went to {MARKER}")
    assert Report.objects.filter(pk=report.pk).exists()
