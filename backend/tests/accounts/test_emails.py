"""E-mail addresses: proved by keys that only their owner gets, and changed only then."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.accounts.models import User
from apps.accounts.services import emails
from apps.accounts.services.credentials import BadCredentials, check_credentials
from apps.accounts.services.purging import purge_identities
from apps.common import clock
from apps.common.errors import Invalid
from apps.mail.registry import Obsolete
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.accounts.mailbox import follow_link, list_kinds, open_mail
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db

OLD, NEW = "ada@example.org", "ada@new.example"


def make_ada() -> Actor:
    actor = make_actor(username="ada", email=OLD)
    with transaction.atomic():
        emails.queue_verification(user_id=actor.user_id, now=clock.now())
    return actor


def change(actor: Actor, email: str = NEW) -> None:
    emails.request_change(user_id=actor.user_id, email=email, now=clock.now())


def read_key(kind: str) -> str:
    return follow_link(kind)[-1]


def test_a_key_from_the_mail_proves_the_address() -> None:
    make_ada()
    assert emails.verify_email(key=read_key("verify_email"), now=clock.now()).email == OLD
    assert User.objects.get().email_verified_at is not None
    assert AuditEvent.objects.filter(action="email.verified").count() == 1


def test_the_same_key_again_changes_nothing_and_is_answered_alike() -> None:
    make_ada()
    key = read_key("verify_email")
    answers = [emails.verify_email(key=key, now=clock.now()) for _ in range(2)]
    assert answers[0] == answers[1]
    assert AuditEvent.objects.filter(action="email.verified").count() == 1


def test_a_key_does_not_show_the_address() -> None:
    make_ada()
    assert "ada" not in read_key("verify_email")


def test_a_key_is_good_for_three_days() -> None:
    make_ada()
    key, now = read_key("verify_email"), clock.now()
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=now + timedelta(days=3, minutes=1))
    emails.verify_email(key=key, now=now + timedelta(days=3, minutes=-1))


@pytest.mark.parametrize("key", ["", "x", "a.b.c.d", "0" * 32 + ".v.1.x", "0" * 32 + ".v." + "9" * 30 + ".x", "ü.v.1."])
def test_a_key_that_is_none_is_refused(key: str) -> None:
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=clock.now())


@pytest.mark.failure("A23")
def test_a_key_proves_nothing_else_than_it_was_made_for() -> None:
    actor = make_ada()
    key = read_key("verify_email")
    stranger = make_actor(username="eve", email=NEW)
    user_id, purpose, stamp, signature = key.split(".")
    forged = [
        f"{stranger.user_id.hex}.{purpose}.{stamp}.{signature}",
        f"{user_id}.c.{stamp}.{signature}",
        f"{user_id}.x.{stamp}.{signature}",
        f"{user_id}.{purpose}.{int(stamp) + 1}.{signature}",
        f"{key}.{signature}",
    ]
    change(actor, "third@example.org")
    for attempt in forged:
        with pytest.raises(emails.VerificationInvalid):
            emails.verify_email(key=attempt, now=clock.now())


def test_a_key_for_a_former_address_is_dead() -> None:
    actor = make_ada()
    key = read_key("verify_email")
    User.objects.filter(id=actor.user_id).update(email="else@example.org")
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=clock.now())


def test_a_key_of_a_closed_account_is_dead() -> None:
    make_ada()
    key = read_key("verify_email")
    User.objects.update(is_active=False)
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=clock.now())


def test_a_mail_about_an_address_that_is_proved_is_dropped() -> None:
    make_ada()
    User.objects.update(email_verified_at=clock.now())
    with pytest.raises(Obsolete):
        open_mail("verify_email")


def test_nobody_is_asked_to_prove_an_address_twice() -> None:
    actor = make_ada()
    User.objects.update(email_verified_at=clock.now())
    emails.resend_verification(user_id=actor.user_id, now=clock.now())
    assert list_kinds() == ["verify_email"]


def test_the_mail_is_sent_again_to_whichever_address_waits() -> None:
    actor = make_ada()
    emails.resend_verification(user_id=actor.user_id, now=clock.now())
    assert list_kinds(OLD) == ["verify_email", "verify_email"]
    change(actor)
    emails.resend_verification(user_id=actor.user_id, now=clock.now())
    assert list_kinds(NEW) == ["change_email", "change_email"]


@pytest.mark.failure("A23")
def test_a_new_address_opens_nothing_before_it_is_proved() -> None:
    actor = make_ada()
    change(actor)
    with pytest.raises(BadCredentials):
        check_credentials(username=NEW, password=PASSWORD)
    assert check_credentials(username=OLD, password=PASSWORD) == actor.user_id
    assert (list_kinds(NEW), list_kinds(OLD)) == (["change_email"], ["verify_email", "email_change_notice"])


@pytest.mark.failure("A23")
def test_a_proved_new_address_takes_the_place_of_the_old_one() -> None:
    actor = make_ada()
    change(actor)
    key = read_key("change_email")
    for _ in range(2):
        assert emails.verify_email(key=key, now=clock.now()).email == NEW
    user = User.objects.get()
    assert (user.email, user.pending_email, user.pending_email_at) == (NEW, "", None)
    assert user.email_verified_at is not None
    assert check_credentials(username=NEW, password=PASSWORD) == actor.user_id
    with pytest.raises(BadCredentials):
        check_credentials(username=OLD, password=PASSWORD)
    assert open_mail("email_change_notice")["is_done"] is True
    assert list_kinds(OLD)[-1] == "email_change_notice"


def test_a_dropped_change_leaves_a_dead_key() -> None:
    actor = make_ada()
    change(actor)
    key = read_key("change_email")
    for _ in range(2):
        emails.drop_change(user_id=actor.user_id, now=clock.now())
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=clock.now())
    with pytest.raises(Obsolete):
        open_mail("change_email")
    assert AuditEvent.objects.filter(action="email.change_dropped").count() == 1


def test_a_second_wish_takes_the_place_of_the_first() -> None:
    actor = make_ada()
    change(actor)
    key = read_key("change_email")
    change(actor, "third@example.org")
    with pytest.raises(emails.VerificationInvalid):
        emails.verify_email(key=key, now=clock.now())


@pytest.mark.failure("A01", "A23")
def test_an_address_of_somebody_else_is_told_to_them_alone() -> None:
    actor = make_ada()
    make_actor(username="eve", email="Eve@Example.org")
    change(actor, "eve@example.ORG")
    assert User.objects.get(username="ada").pending_email == "eve@example.ORG"
    assert list_kinds("Eve@Example.org") == ["email_taken"]
    told = open_mail("email_taken")
    assert told["username"] == "eve"
    assert "link" not in told


@pytest.mark.parametrize("email", ["", "ada", "a b@example.org", OLD])
def test_an_address_that_is_none_or_the_same_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as caught:
        change(make_ada(), email)
    assert list(caught.value.fields) == ["email"]


def test_the_case_of_ones_own_address_can_be_changed() -> None:
    actor = make_ada()
    change(actor, OLD.upper())
    emails.verify_email(key=read_key("change_email"), now=clock.now())
    assert User.objects.get().email == OLD.upper()


@pytest.mark.failure("A23")
def test_who_proves_an_address_that_was_taken_meanwhile_is_told_so() -> None:
    actor = make_ada()
    change(actor)
    key = read_key("change_email")
    make_actor(username="eve", email=NEW.upper())
    with pytest.raises(emails.EmailTaken):
        emails.verify_email(key=key, now=clock.now())
    assert User.objects.get(username="ada").email == OLD


def test_a_wish_whose_key_has_expired_is_forgotten() -> None:
    actor = make_ada()
    change(actor)
    purge_identities(now=clock.now() + timedelta(days=2))
    assert User.objects.get().pending_email == NEW
    purge_identities(now=clock.now() + timedelta(days=4))
    assert User.objects.get().pending_email == ""
