"""What the author has, and a valid request for every operation about it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from django.db import transaction

from apps.accounts.services.tokens import issue_token
from apps.accounts.types import TokenKind
from apps.billing.models import StripeEvent, UsageEvent
from apps.billing.services.credits import grant_promo_credit
from apps.billing.services.payments.documents import issue_receipt
from apps.billing.services.seed import publish_example_rate_cards
from apps.common import clock
from apps.common.ids import uuid7
from apps.invitations.services import create_tenant_passkey
from apps.mfa.models import SecurityKey
from apps.tenants.services.support import open_grant
from apps.tenants.types import Actor, GrantScope
from apps.worklog.services import delete_entry
from tests.access.callers import People, make_people
from tests.factories.mydata import make_export
from tests.factories.orchestration import begin_report, work, write_entries
from tests.factories.payments import make_card_payment, make_checkout
from tests.factories.worklog import make_entry

MARKER: Final = "zanzibarmarker"


@dataclass(frozen=True)
class World:
    """The people and the identifiers of the author's things, by the name of the address's argument."""

    people: People
    ids: Mapping[str, Any]


@contextmanager
def undone() -> Iterator[None]:
    """A transaction of the test's own that leaves nothing behind."""
    block: Any = transaction.atomic()
    # The product must not take it for one of its own, in which it makes no remote calls.
    block._from_testcase = True
    with block:
        yield
        transaction.set_rollback(True)


def make_world() -> World:
    """Everything that an address can name belongs to the author."""
    people, now = make_people(), clock.now()
    author = people.author
    publish_example_rate_cards(now=now)
    for actor in (author, people.other, people.staff):
        grant_promo_credit(tenant=actor.tenant, amount_micros=5_000_000, source=uuid7(), description="Welcome", now=now)
    for actor in (author, people.member, people.other, people.staff):
        write_entries(actor, 1)
    report_job = work(begin_report(author, title=f"Report {MARKER}"))
    passkey, _ = create_tenant_passkey(actor=author, note=f"Invitation {MARKER}", now=now)
    return World(people=people, ids=_identify(people, report_job, passkey.id))


def _identify(people: People, report_job: Any, passkey_id: Any) -> dict[str, Any]:
    author, now = people.author, clock.now()
    entry = make_entry(author, title=f"Entry {MARKER}", employer=f"Employer {MARKER}", now=now)
    gone = make_entry(author, title=f"Gone {MARKER}", now=now)
    delete_entry(actor=author, entry_id=gone.id, now=now)
    session = issue_token(user_id=author.user_id, name=f"Session {MARKER}", now=now)
    token = issue_token(user_id=author.user_id, name=f"Token {MARKER}", now=now, kind=TokenKind.PERSONAL)
    key = SecurityKey.objects.create(
        user_id=author.user_id,
        credential_id=b"c",
        public_key=b"k",
        aaguid=uuid7(),
        sign_count=0,
        name=f"Key {MARKER}",
        created_at=now,
    )
    grant = open_grant(actor=author, reason=f"Look {MARKER}", scopes=tuple(GrantScope), minutes=30, now=now)
    export = make_export(author)
    return {
        **_identify_money(author),
        "entry_id": entry.id,
        "gone_entry_id": gone.id,
        "job_id": report_job.pk,
        "waiting_job_id": begin_report(author, title="Waiting").pk,
        "report_id": report_job.subject_id,
        "export_id": export.pk,
        "passkey_id": passkey_id,
        "session_id": session.public_id,
        "token_id": token.public_id,
        "key_id": key.pk,
        "grant_id": grant.id,
        "user_id": people.member.user_id,
        "tenant_id": author.tenant,
        "token": "nobodysuniquetoken",
    }


def _identify_money(author: Actor) -> dict[str, Any]:
    """An open payment, a paid one with its receipt, a metered use, and a message that Stripe sent about something."""
    opened, paid, now = make_checkout(author.tenant), make_card_payment(author.tenant), clock.now()
    with transaction.atomic():
        receipt = issue_receipt(attempt=paid, now=now)
    message = StripeEvent.objects.create(
        event_id="evt_access", type="invoice.paid", livemode=False, payload={}, state="parked", received_at=now
    )
    return {
        "payment_id": opened.id,
        "paid_payment_id": paid.id,
        "checkout_session_id": opened.stripe_session_id,
        "document_id": receipt.id,
        "event_id": UsageEvent.objects.filter(tenant_id=author.tenant)[0].id,
        "message_id": message.id,
    }
