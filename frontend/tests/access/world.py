"""What there is behind the pages: a backend with a tenant in it, two browsers, and the ids that addresses name."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.db import transaction
from django.test import Client

from tests.fakes import shapes
from tests.fakes.accounts import GOOD_KEY, GOOD_RESET
from tests.fakes.backend import FakeBackend, seed
from tests.fakes.shapes import Json
from tests.fakes.tenancy import CERTIFICATE

PASSWORD: Final = "correct horse"
OWNER, STAFF = "ada", "sam"


@dataclass(frozen=True)
class World:
    """`ids` by the name of the address's argument; `sessions` by person."""

    fake: FakeBackend
    ids: Mapping[str, str]
    sessions: Mapping[str, str]


def fill(fake: FakeBackend) -> dict[str, str]:
    """One thing of every kind that an address can name."""
    seed(fake)
    fake.add_user(OWNER, PASSWORD)
    fake.add_user(STAFF, PASSWORD, is_staff=True)
    key = shapes.security_key()
    fake.factors[OWNER]["security_keys"].append(key)
    fake.factors[STAFF]["security_keys"].append(key)
    gone = shapes.entry("Gone", is_deleted=True)
    fake.entries.append(gone)
    waiting = shapes.job("queued")
    unfinished = shapes.report([], state="pending", document=None, job_id=waiting["id"])
    fake.jobs.append(waiting)
    fake.reports.append(unfinished)
    uid, token = GOOD_RESET
    return {
        "uid": uid,
        "token": token,
        "key": GOOD_KEY,
        "certificate": CERTIFICATE,
        "file_format": "pdf",
        "key_id": key["id"],
        "session_id": fake.sessions[0]["id"],
        "token_id": fake.personal_tokens[0]["id"],
        "gone_entry_id": gone["id"],
        "waiting_job_id": waiting["id"],
        "failed_job_id": next(job["id"] for job in fake.jobs if job["state"] == "failed"),
        "pending_report_id": unfinished["id"],
        **_first_ids(fake),
    }


def _first_ids(fake: FakeBackend) -> dict[str, str]:
    named: dict[str, Json] = {
        "entry_id": fake.entries[0],
        "job_id": fake.jobs[0],
        "report_id": fake.reports[0],
        "user_id": fake.members[-1],
        "passkey_id": fake.invitations[0],
        "grant_id": next(one for one in fake.grants if one["state"] == "open"),
        "export_id": fake.exports[0],
        "event_id": fake.usage[0],
        "payment_id": fake.payments[0],
        "document_id": fake.documents[0],
        "person_id": fake.people[-1],
        "tenant_id": fake.tenants[0],
        "house_passkey_id": next(one for one in fake.passkey_rows if one["state"] == "active"),
        "open_grant_id": fake.open_grants[0],
        "house_payment_id": fake.house_payments[0],
        "stripe_event_id": fake.stripe_events[0],
    }
    return {name: thing["id"] for name, thing in named.items()}


def make_world(fake: FakeBackend) -> World:
    """With ada, who owns the tenant, and sam of staff signed in through the form."""
    ids = fill(fake)
    sessions = {}
    for person in (OWNER, STAFF):
        browser = Client()
        browser.post("/accounts/login/", {"login": person, "password": PASSWORD})
        sessions[person] = browser.cookies[settings.SESSION_COOKIE_NAME].value
    fake.received.clear()
    return World(fake=fake, ids=ids, sessions=sessions)


@contextmanager
def undone(fake: FakeBackend) -> Iterator[None]:
    """Whatever happens inside has not happened afterwards: neither here nor in the backend."""
    state = {name: value for name, value in vars(fake).items() if not name.startswith("_")}
    kept = {name: (value, deepcopy(value)) for name, value in state.items() if isinstance(value, list | dict | set)}
    plain = {name: value for name, value in state.items() if isinstance(value, bool)}
    try:
        with transaction.atomic():
            yield
            transaction.set_rollback(True)
    finally:
        vars(fake).update(plain)
        for name, (original, copy) in kept.items():
            _put_back(original, copy)
            setattr(fake, name, original)


def _put_back(original: Any, copy: Any) -> None:
    """Into the same object: the fake's routes hold on to it."""
    original.clear()
    if isinstance(original, list):
        original.extend(copy)
    else:
        original.update(copy)
