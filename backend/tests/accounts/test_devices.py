"""Devices: what browsers call themselves, and who is told about a new one."""

from datetime import timedelta

import pytest
from django.db import transaction

from apps.accounts.models import SeenDevice
from apps.accounts.services.devices import UNKNOWN, name_device, note_sign_in
from apps.common import clock
from apps.observability.context import bind_user_agent, clear_request
from apps.tenants.types import Actor
from tests.accounts.mailbox import list_kinds, open_mail
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
SAFARI = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 17_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    " Version/17.0 Mobile/15E148 Safari/604.1"
)


@transaction.atomic
def arrive(actor: Actor, user_agent: str, *, after: timedelta = timedelta()) -> None:
    bind_user_agent(user_agent)
    try:
        note_sign_in(user_id=actor.user_id, now=clock.now() + after)
    finally:
        clear_request()


@pytest.mark.parametrize(
    ("user_agent", "name"),
    [
        (FIREFOX, "Firefox on Linux"),
        (SAFARI, "Mobile Safari on iOS"),
        ("curl/8.5.0", "curl"),
        ("", UNKNOWN),
        ("%", UNKNOWN),
    ],
)
def test_a_device_has_a_name_that_people_know(user_agent: str, name: str) -> None:
    assert name_device(user_agent) == name


def test_the_first_device_of_all_is_told_to_nobody() -> None:
    arrive(make_actor(), FIREFOX)
    assert list_kinds() == []


def test_another_device_is_told_once() -> None:
    actor = make_actor()
    for user_agent in (FIREFOX, SAFARI, SAFARI, FIREFOX):
        arrive(actor, user_agent)
    assert list_kinds() == ["new_sign_in"]
    assert open_mail("new_sign_in")["device"] == "Mobile Safari on iOS"


def test_a_device_of_one_person_is_new_for_another() -> None:
    for actor in (make_actor(), make_actor()):
        arrive(actor, FIREFOX)
    assert SeenDevice.objects.count() == 2


def test_it_is_kept_when_a_device_was_last_seen() -> None:
    actor = make_actor()
    arrive(actor, FIREFOX)
    arrive(actor, FIREFOX, after=timedelta(days=1))
    device = SeenDevice.objects.get()
    assert device.last_seen_at - device.first_seen_at > timedelta(hours=23)
