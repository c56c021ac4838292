"""People, for staff: found, looked at, helped; each act with a reason."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.shapes import ABSENT_ID, Json

PAGE = "/admin-panel/users/"
KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"


@pytest.fixture
def bea(fake_backend: FakeBackend) -> Json:
    made = shapes.user_row("bea", has_second_factor=True)
    fake_backend.people.append(made)
    return made


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


def test_people_are_found_by_words_and_flags(staff: Client, fake_backend: FakeBackend, bea: Json) -> None:
    fake_backend.people.append(shapes.user_row("cleo", is_active=False, is_staff=True, last_active_at=None))
    assert 'data-state="closed"' in page(staff)
    found = staff.get(f"{PAGE}?q=BEA@&is_active=true&is_staff=false", headers=HTMX).content.decode()
    assert 'data-user="bea"' in found
    assert "cleo" not in found
    assert "<html" not in found
    asked = fake_backend.calls_of("GET", "/api/admin/users/")[-1].query
    assert asked == {"q": "BEA@", "is_active": "true", "is_staff": "false"}


def test_a_flag_that_is_none_narrows_nothing(staff: Client, bea: Json) -> None:
    assert 'data-user="bea"' in page(staff, f"{PAGE}?is_staff=perhaps")


def test_further_people_follow_in_place(staff: Client, fake_backend: FakeBackend) -> None:
    fake_backend.people.extend(shapes.user_row(f"person{number}") for number in range(26))
    assert f"{PAGE}?cursor=25" in page(staff)
    more = staff.get(f"{PAGE}?cursor=25", headers=HTMX)
    assert more.content.decode().count("data-user") == 1


def test_one_person_with_what_may_be_done(staff: Client, bea: Json) -> None:
    shown = page(staff, f"{PAGE}{bea['id']}/")
    for told in ("bea@example.com", "2 sessions, 1 personal token", "Send reset", "Close account", "Make staff"):
        assert told in shown
    assert f"/admin-panel/audit/?actor={bea['id']}" in shown


def test_out_of_reach_is_said(staff: Client, bea: Json) -> None:
    bea |= {"can_help": False, "can_change_active": False, "can_change_staff": False}
    assert "for superusers" in page(staff, f"{PAGE}{bea['id']}/")


def test_an_account_is_closed_and_opened_with_a_reason(staff: Client, fake_backend: FakeBackend, bea: Json) -> None:
    address = f"{PAGE}{bea['id']}/active/"
    assert "Close the account of bea?" in staff.get(address, headers=HTMX).content.decode()
    sent = {"value": "off", "reason": "Abuse", "idempotency_key": KEY}
    assert "The account is closed now." in staff.post(address, sent, follow=True).content.decode()
    call = fake_backend.calls_of("PATCH", f"/api/admin/users/{bea['id']}/")[0]
    assert (call.body, call.headers["idempotency-key"]) == ({"is_active": False, "reason": "Abuse"}, KEY)
    assert "Open the account of bea again?" in page(staff, address)
    staff.post(address, {"value": "on", "reason": "Settled"})
    assert bea["is_active"]


def test_staff_rights_are_given_and_taken(staff: Client, bea: Json) -> None:
    address = f"{PAGE}{bea['id']}/staff/"
    assert "They need a second factor" in page(staff, address)
    assert "bea is staff." in staff.post(address, {"value": "on", "reason": "New"}, follow=True).content.decode()
    assert "Take the staff rights of bea?" in page(staff, address)
    assert "not staff any more" in staff.post(address, {"value": "off", "reason": "Left"}, follow=True).content.decode()


def test_what_only_superusers_do_is_refused_in_the_dialog(staff: Client, bea: Json) -> None:
    bea["can_change_staff"] = False
    response = staff.post(f"{PAGE}{bea['id']}/staff/", {"value": "on", "reason": "New"}, headers=HTMX)
    assert response.status_code == 422
    assert "Only a superuser makes or unmakes staff." in response.content.decode()
    assert 'value="New"' in response.content.decode()


@pytest.mark.parametrize(
    ("act", "question", "done", "path"),
    [
        ("password-reset", "Send bea a link to a new password?", "The mail is on its way.", "password-reset/"),
        ("end-sessions", "Sign bea out everywhere?", "bea is signed out everywhere.", "revoke-tokens/"),
        ("second-factor", "Take the second factor of bea away?", "bea has no second factor", "second-factor/reset/"),
    ],
)
def test_a_person_is_helped_with_a_reason_on_record(
    staff: Client, fake_backend: FakeBackend, bea: Json, act: str, question: str, done: str, path: str
) -> None:
    address = f"{PAGE}{bea['id']}/{act}/"
    assert question in page(staff, address)
    assert staff.post(address, {"reason": " "}).context["form"].errors["reason"]
    assert done in staff.post(address, {"reason": "Asked by phone"}, follow=True).content.decode()
    calls = fake_backend.calls_of("POST", f"/api/admin/users/{bea['id']}/{path}")
    assert [call.body for call in calls] == [{"reason": "Asked by phone"}]


def test_a_dangerous_act_asks_for_a_fresh_proof(staff: Client, fake_backend: FakeBackend, bea: Json) -> None:
    fake_backend.is_stale = True
    response = staff.post(f"{PAGE}{bea['id']}/second-factor/", {"reason": "Lost phone"})
    assert response["Location"].startswith("/accounts/reauthenticate/")
    assert ["reason", "Lost phone"] in [list(pair) for pair in staff.session["held_form"]["fields"]]


@pytest.mark.parametrize("act", ["", "active/", "staff/", "password-reset/", "end-sessions/", "second-factor/"])
def test_somebody_who_is_not_there_is_404(staff: Client, act: str) -> None:
    assert staff.get(f"{PAGE}{ABSENT_ID}/{act}").status_code == 404
