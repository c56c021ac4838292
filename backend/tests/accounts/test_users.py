"""People: what makes one, and what closes an account."""

import pytest
from django.db import IntegrityError, transaction

from apps.accounts.models import ApiToken, User
from apps.accounts.selectors import find_user
from apps.accounts.services import users
from apps.accounts.services.tokens import issue_token
from apps.common import clock
from apps.common.errors import Invalid, NotFound
from apps.common.ids import uuid7
from apps.observability.models import AuditEvent
from tests.factories.accounts import PASSWORD, make_actor

pytestmark = pytest.mark.django_db


def make_user(username: str = "ada", email: str = "ada@example.org", password: str = PASSWORD) -> None:
    users.create_user(user_id=uuid7(), username=username, email=email, password=password, now=clock.now())


def fields_of(username: str = "ada", email: str = "ada@example.org", password: str = PASSWORD) -> set[str]:
    with pytest.raises(Invalid) as caught:
        make_user(username, email, password)
    return set(caught.value.fields)


@pytest.mark.parametrize("username", ["", "ab", "a" * 151, "ada@example.org", "ada lovelace", "ada\n", "\u0430da"])
def test_a_user_name_of_another_form_is_refused(username: str) -> None:
    assert fields_of(username=username) == {"username"}


@pytest.mark.parametrize("email", ["", "ada", "ada@", "ada@example", "a b@example.org"])
def test_an_address_of_another_form_is_refused(email: str) -> None:
    assert fields_of(email=email) == {"email"}


@pytest.mark.parametrize("password", ["short", "password1234", "adalovelace"])
def test_a_weak_password_is_refused(password: str) -> None:
    assert fields_of(username="adalovelace", password=password) == {"password"}


def test_all_broken_rules_are_told_at_once() -> None:
    assert fields_of(username="", email="", password="") == {"username", "email", "password"}


def test_a_user_name_is_taken_whatever_its_case() -> None:
    make_user()
    assert fields_of(username="ADA", email="other@example.org") == {"username"}


def test_an_address_is_taken_whatever_its_case() -> None:
    make_user()
    assert fields_of(username="other", email="Ada@Example.org") == {"email"}


def test_the_database_itself_refuses_a_user_name_that_reads_as_an_address() -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        User.objects.create(username="ada@example.org", email="x@example.org")


def test_another_breach_of_the_database_is_not_taken_for_a_taken_name() -> None:
    make_user()
    user_id = User.objects.get().id
    with pytest.raises(IntegrityError):
        users.create_user(user_id=user_id, username="eve", email="eve@example.org", password=PASSWORD, now=clock.now())


def test_a_person_is_found_by_name_whatever_its_case() -> None:
    make_user()
    found = find_user(username="ADA")
    assert found is not None
    assert found.username == "ada"
    assert find_user(username="eve") is None


def test_a_person_is_called_by_the_name_that_they_chose() -> None:
    make_user()
    user = User.objects.get()
    assert (user.get_full_name(), user.get_short_name()) == ("ada", "ada")
    users.rename_user(user_id=user.id, display_name="Ada Lovelace")
    user.refresh_from_db()
    assert (user.get_full_name(), user.get_short_name()) == ("Ada Lovelace", "ada")


def test_closing_an_account_ends_its_tokens_and_is_written_down() -> None:
    person, staff = make_actor(), make_actor(is_staff=True)
    issue_token(user_id=person.user_id, name="API", now=clock.now())
    users.set_active(actor=staff.user_id, user_id=person.user_id, is_active=False, reason="left", now=clock.now())
    assert not ApiToken.objects.filter(user_id=person.user_id).exists()
    audit = AuditEvent.objects.get(action="user.deactivated")
    assert (audit.actor_id, audit.target_id, audit.reason) == (staff.user_id, str(person.user_id), "left")


def test_an_account_can_be_opened_again() -> None:
    person = make_actor()
    for is_active in (False, True):
        users.set_active(actor=person.user_id, user_id=person.user_id, is_active=is_active, reason="", now=clock.now())
    assert User.objects.get(id=person.user_id).is_active


def test_closing_a_closed_account_writes_nothing_down() -> None:
    person = make_actor()
    before = AuditEvent.objects.count()
    users.set_active(actor=person.user_id, user_id=person.user_id, is_active=True, reason="", now=clock.now())
    assert AuditEvent.objects.count() == before


def test_giving_the_run_of_the_place_twice_is_written_down_once() -> None:
    person = make_actor()
    for _ in range(2):
        users.set_staff(actor=person.user_id, user_id=person.user_id, is_staff=True, now=clock.now())
    assert AuditEvent.objects.filter(action="user.staff_given").count() == 1


def test_an_unknown_account_cannot_be_closed_or_made_staff() -> None:
    with pytest.raises(NotFound):
        users.set_staff(actor=uuid7(), user_id=uuid7(), is_staff=True, now=clock.now())
    with pytest.raises(NotFound):
        users.set_active(actor=uuid7(), user_id=uuid7(), is_active=False, reason="", now=clock.now())
