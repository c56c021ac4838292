"""Passwords: how they are kept, changed, and set anew by mail."""

from datetime import timedelta

import pytest
from django.contrib.auth.hashers import make_password
from django.test import override_settings

from apps.accounts.models import ApiToken, User
from apps.accounts.services import passwords, users
from apps.accounts.services.credentials import check_credentials
from apps.accounts.services.tokens import issue_token
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.common.ids import uuid7
from apps.mail.models import OutgoingMail
from apps.mail.registry import Obsolete
from apps.observability.models import AuditEvent
from apps.tenants.types import Actor
from tests.accounts.mailbox import follow_link, list_kinds, open_mail, read_reset_link
from tests.factories.accounts import PASSWORD, make_actor, make_staff

pytestmark = pytest.mark.django_db

NEW = "another fine long sentence"
ARGON_FIRST = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]


def make_ada() -> Actor:
    return make_actor(username="ada", email="ada@example.org")


def ask_for_reset(email: str = "ada@example.org") -> None:
    passwords.request_reset(email=email, now=clock.now())


def test_a_password_is_kept_as_argon2() -> None:
    with override_settings(PASSWORD_HASHERS=ARGON_FIRST):
        make_ada()
    assert User.objects.get().password.startswith("argon2$argon2id$")


def test_an_older_hash_becomes_argon2_at_the_next_sign_in() -> None:
    with override_settings(PASSWORD_HASHERS=ARGON_FIRST[::-1]):
        make_ada()
    assert User.objects.get().password.startswith("pbkdf2_sha256$")
    with override_settings(PASSWORD_HASHERS=ARGON_FIRST):
        check_credentials(username="ada", password=PASSWORD)
    assert User.objects.get().password.startswith("argon2$")


@pytest.mark.parametrize(
    "password", ["a" * 5 + "bcdéfg 漢字 " * 20, "only small letters here", "x" * 5 + "1" * 500 + "y"]
)
def test_a_password_may_be_long_and_of_any_characters(password: str) -> None:
    make_actor(username="ada", password=password)
    check_credentials(username="ada", password=password)


@pytest.mark.failure("A08")
def test_changing_the_password_ends_every_other_token() -> None:
    actor = make_ada()
    kept, _ = (issue_token(user_id=actor.user_id, name="API", now=clock.now()) for _ in range(2))
    passwords.change_password(
        user_id=actor.user_id,
        current_password=PASSWORD,
        new_password=NEW,
        except_public_id=kept.public_id,
        now=clock.now(),
    )
    assert list(ApiToken.objects.values_list("public_id", flat=True)) == [kept.public_id]
    assert check_credentials(username="ada", password=NEW) == actor.user_id
    assert list_kinds("ada@example.org") == ["password_changed"]
    assert AuditEvent.objects.filter(action="password.changed", actor_id=actor.user_id).count() == 1


@pytest.mark.parametrize(
    ("current", "new", "field"),
    [
        ("wrong", NEW, "current_password"),
        (PASSWORD, "short", "new_password"),
        (PASSWORD, "password123", "new_password"),
    ],
)
def test_a_change_that_breaks_a_rule_changes_nothing(current: str, new: str, field: str) -> None:
    actor = make_ada()
    with pytest.raises(Invalid) as caught:
        passwords.change_password(user_id=actor.user_id, current_password=current, new_password=new, now=clock.now())
    assert list(caught.value.fields) == [field]
    check_credentials(username="ada", password=PASSWORD)


def test_a_password_that_was_reset_meanwhile_is_not_overwritten(monkeypatch: pytest.MonkeyPatch) -> None:
    actor = make_ada()

    def hash_slowly(password: str) -> str:
        User.objects.update(password="reset by its owner")
        return make_password(password)

    monkeypatch.setattr("apps.accounts.services.passwords.make_password", hash_slowly)
    with pytest.raises(passwords.PasswordChangedMeanwhile):
        passwords.change_password(user_id=actor.user_id, current_password=PASSWORD, new_password=NEW, now=clock.now())
    assert User.objects.get().password == "reset by its owner"


@pytest.mark.parametrize("email", ["ada@example.org", "ADA@Example.org ", "Ada@example.org"])
def test_a_reset_link_goes_to_the_address_that_the_account_has(email: str) -> None:
    make_ada()
    ask_for_reset(email)
    assert list_kinds("ada@example.org") == ["password_reset"]


@pytest.mark.failure("A22")
def test_a_reset_link_leads_below_the_configured_host() -> None:
    make_ada()
    ask_for_reset()
    with override_settings(FRONTEND_BASE_URL="https://example.com"):
        assert open_mail("password_reset")["link"].startswith("https://example.com/accounts/password/reset/")


@pytest.mark.failure("A08", "A22")
def test_a_reset_sets_the_password_and_ends_every_token() -> None:
    actor = make_ada()
    issue_token(user_id=actor.user_id, name="API", now=clock.now())
    ask_for_reset()
    passwords.reset_password(**read_reset_link(), password=NEW, now=clock.now())
    assert check_credentials(username="ada", password=NEW) == actor.user_id
    assert not ApiToken.objects.exists()
    assert list_kinds() == ["password_reset", "password_changed"]


def test_a_reset_proves_the_address() -> None:
    make_ada()
    ask_for_reset()
    passwords.reset_password(**read_reset_link(), password=NEW, now=clock.now())
    proved_at = User.objects.get().email_verified_at
    assert proved_at is not None
    ask_for_reset()
    passwords.reset_password(**read_reset_link(), password=PASSWORD, now=clock.now())
    assert User.objects.get().email_verified_at == proved_at


@pytest.mark.failure("A22")
def test_a_reset_link_works_once() -> None:
    make_ada()
    ask_for_reset()
    link = read_reset_link()
    passwords.reset_password(**link, password=NEW, now=clock.now())
    with pytest.raises(passwords.ResetLinkInvalid):
        passwords.reset_password(**link, password=NEW, now=clock.now())


@pytest.mark.failure("A22")
@pytest.mark.parametrize("change", [{"password": "x"}, {"email": "new@example.org"}, {"is_active": False}])
def test_a_reset_link_dies_with_the_password_the_address_or_the_account(change: dict[str, object]) -> None:
    make_ada()
    ask_for_reset()
    link = read_reset_link()
    User.objects.update(**change)
    with pytest.raises(passwords.ResetLinkInvalid):
        passwords.reset_password(**link, password=NEW, now=clock.now())


def test_a_reset_link_is_good_for_an_hour() -> None:
    make_ada()
    ask_for_reset()
    link, now = read_reset_link(), clock.now()
    with pytest.raises(passwords.ResetLinkInvalid):
        passwords.reset_password(**link, password=NEW, now=now + timedelta(minutes=61))
    passwords.reset_password(**link, password=NEW, now=now + timedelta(minutes=59))


@pytest.mark.parametrize(("uid", "token"), [("", ""), ("x", "y"), ("0" * 32, "a-b"), ("ü", "\x00")])
def test_a_link_that_is_none_is_refused(uid: str, token: str) -> None:
    with pytest.raises(passwords.ResetLinkInvalid):
        passwords.reset_password(uid=uid, token=token, password=NEW, now=clock.now())


def test_a_weak_password_leaves_the_link_good() -> None:
    make_ada()
    ask_for_reset()
    link = read_reset_link()
    with pytest.raises(Invalid) as caught:
        passwords.reset_password(**link, password="short", now=clock.now())
    assert list(caught.value.fields) == ["password"]
    passwords.reset_password(**link, password=NEW, now=clock.now())


def test_a_link_is_spent_even_for_somebody_who_uses_it_at_the_same_moment(monkeypatch: pytest.MonkeyPatch) -> None:
    make_ada()
    ask_for_reset()
    link = read_reset_link()

    def hash_slowly(password: str) -> str:
        User.objects.update(password="set by the other one")
        return make_password(password)

    monkeypatch.setattr("apps.accounts.services.passwords.make_password", hash_slowly)
    with pytest.raises(passwords.ResetLinkInvalid):
        passwords.reset_password(**link, password=NEW, now=clock.now())


@pytest.mark.failure("A01")
def test_a_closed_account_and_an_unknown_address_get_a_row_that_goes_nowhere() -> None:
    actor = make_ada()
    users.set_active(actor=actor.user_id, user_id=actor.user_id, is_active=False, reason="", now=clock.now())
    for email in ("ada@example.org", "nobody@example.org"):
        ask_for_reset(email)
    assert list(OutgoingMail.objects.values_list("to", "user_id")) == [("", None), ("", None)]
    with pytest.raises(Obsolete):
        open_mail("password_reset")


def test_an_account_that_was_closed_before_the_mail_went_out_gets_none() -> None:
    make_ada()
    ask_for_reset()
    User.objects.update(is_active=False)
    with pytest.raises(Obsolete):
        open_mail("password_reset")


def test_an_address_that_changed_before_the_mail_went_out_gets_none() -> None:
    make_ada()
    ask_for_reset()
    User.objects.update(email="new@example.org")
    with pytest.raises(Obsolete):
        open_mail("password_reset")


def test_of_many_requests_for_one_address_few_are_mailed() -> None:
    make_ada()
    for spelling in ("ada@example.org", "Ada@example.org", "ADA@example.org", " ada@example.org", "adA@example.org"):
        ask_for_reset(spelling)
    assert len(list_kinds("ada@example.org")) == 3


def test_staff_send_a_link_and_it_is_written_down() -> None:
    actor, staff = make_ada(), make_staff()
    passwords.send_reset(user_id=actor.user_id, actor=staff.user_id, reason="Lost", now=clock.now())
    assert follow_link("password_reset")[:3] == ["accounts", "password", "reset"]
    audit = AuditEvent.objects.get(action="password.reset_sent")
    assert (audit.actor_id, audit.target_id, audit.reason) == (staff.user_id, str(actor.user_id), "Lost")


def test_staff_send_no_link_to_somebody_who_is_not_there() -> None:
    with pytest.raises(NotFound):
        passwords.send_reset(user_id=uuid7(), actor=make_staff().user_id, reason="", now=clock.now())


def test_the_password_of_a_closed_account_proves_nothing() -> None:
    actor = make_ada()
    User.objects.update(is_active=False)
    with pytest.raises(passwords.WrongPassword):
        passwords.check_password(user_id=actor.user_id, password=PASSWORD)
