"""The people of the tenant: the list, and the acts that are confirmed first."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import refuse
from tests.fakes.server import Reply
from tests.fakes.shapes import ABSENT_ID, Json

PAGE = "/profile/members/"
KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


@pytest.fixture
def bea(fake_backend: FakeBackend) -> Json:
    made = shapes.member("bea")
    fake_backend.members.append(made)
    return made


@pytest.mark.parametrize("path", ["", "invite/", "tenant-name/", f"{ABSENT_ID}/remove/", f"{ABSENT_ID}/role/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(PAGE + path)["Location"].startswith("/accounts/login/")


def test_everybody_is_listed_with_what_can_be_done(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    fake_backend.members.append(shapes.member("cleo", last_active_at=None, has_second_factor=False))
    shown = page(signed_in)
    for told in ("bea@example.com", "Remove bea", "Hand over to bea", "never active", "no second factor"):
        assert told in shown


def test_members_see_the_people_and_no_tools_of_owners(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    fake_backend.is_owner = False
    bea |= {"role": "owner", "can_change_role": False, "can_remove": False}
    shown = page(signed_in)
    assert "bea@example.com" in shown
    assert "Leave the tenant" in shown
    for tool in ("Invite somebody", "Open invitations", "Hand over", "Remove bea"):
        assert tool not in shown


def test_the_last_owner_is_told_kindly_why_there_is_no_way_out(signed_in: Client, bea: Json) -> None:
    assert "Hand the tenant over to one of them first" in page(signed_in)


def test_somebody_alone_is_led_to_the_deletion(signed_in: Client) -> None:
    assert "You are alone in this tenant." in page(signed_in)


def test_staff_without_a_factor_are_not_taken_for_members(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.answer_with("GET", "/api/tenant/passkeys/", refuse(403, "second_factor_required", "No."))
    assert signed_in.get(PAGE).status_code == 403


# --- Roles


def test_making_an_owner_says_what_it_means_and_does_it(
    signed_in: Client, fake_backend: FakeBackend, bea: Json
) -> None:
    address = f"{PAGE}{bea['id']}/role/"
    asked = signed_in.get(address, headers=HTMX)
    assert "Make Bea an owner?" in asked.content.decode()
    assert "take your own role away" in asked.content.decode()
    response = signed_in.post(address, {"role": "owner", "idempotency_key": KEY}, follow=True)
    assert "Bea is an owner now." in response.content.decode()
    call = fake_backend.calls_of("PATCH", f"/api/tenant/members/{bea['id']}/")[0]
    assert (call.body, call.headers["idempotency-key"]) == ({"role": "owner"}, KEY)


def test_a_dialog_that_stood_open_does_what_it_said(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    bea["role"] = "owner"
    signed_in.post(f"{PAGE}{bea['id']}/role/", {"role": "owner"})
    assert bea["role"] == "owner"


def test_stepping_down_shows_at_once(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    bea["role"] = "owner"
    own = fake_backend.users["ada"]["id"]
    assert "Step down to member?" in page(signed_in, f"{PAGE}{own}/role/")
    shown = signed_in.post(f"{PAGE}{own}/role/", {"role": "member"}, follow=True).content.decode()
    assert "You are a member now." in shown
    assert "Invite somebody" not in shown


def test_the_last_owner_s_refusal_stands_in_the_dialog(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    own = fake_backend.users["ada"]["id"]
    response = signed_in.post(f"{PAGE}{own}/role/", {"role": "member"}, headers=HTMX)
    assert response.status_code == 422
    assert "Make somebody else an owner first." in response.content.decode()


# --- Going


def test_removing_names_the_person_and_the_consequences(
    signed_in: Client, fake_backend: FakeBackend, bea: Json
) -> None:
    address = f"{PAGE}{bea['id']}/remove/"
    asked = page(signed_in, address)
    assert "Remove Bea?" in asked
    assert "2 open jobs will be cancelled." in asked
    response = signed_in.post(address, headers=HTMX)
    assert response["HX-Redirect"] == PAGE
    assert "Bea is removed." in page(signed_in)
    assert fake_backend.members == []


def test_leaving_ends_the_session(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    bea["role"] = "owner"
    own = fake_backend.users["ada"]["id"]
    assert "Leave the tenant?" in page(signed_in, f"{PAGE}{own}/remove/")
    response = signed_in.post(f"{PAGE}{own}/remove/", follow=True)
    assert response.redirect_chain == [("/accounts/login/", 302)]
    assert "You have left." in response.content.decode()


def test_handing_over_changes_both(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    address = f"{PAGE}{bea['id']}/hand-over/"
    assert "You become a member." in page(signed_in, address)
    shown = signed_in.post(address, follow=True).content.decode()
    assert "Bea runs the tenant now." in shown
    assert "Invite somebody" not in shown
    assert bea["role"] == "owner"


def test_an_old_proof_of_identity_leads_to_the_password_and_back(
    signed_in: Client, fake_backend: FakeBackend, bea: Json
) -> None:
    fake_backend.is_stale = True
    address = f"{PAGE}{bea['id']}/remove/"
    location = signed_in.post(address, {"idempotency_key": KEY}, headers=HTMX)["HX-Redirect"]
    assert location.startswith("/accounts/reauthenticate/?next=")
    held = signed_in.session["held_form"]
    assert held["path"] == address
    assert ["idempotency_key", KEY] in [list(pair) for pair in held["fields"]]


@pytest.mark.parametrize("act", ["role", "remove", "hand-over"])
def test_somebody_who_is_not_there_is_404(signed_in: Client, act: str) -> None:
    assert signed_in.get(f"{PAGE}{ABSENT_ID}/{act}/").status_code == 404


def test_an_act_without_a_backend_keeps_its_key(signed_in: Client, fake_backend: FakeBackend, bea: Json) -> None:
    address = f"/api/tenant/members/{bea['id']}/"
    fake_backend.answer_with("DELETE", address, Reply(status=503, body={}))
    response = signed_in.post(f"{PAGE}{bea['id']}/remove/", {"idempotency_key": KEY})
    assert response.status_code == 503
    assert response.context["key"] == KEY


# --- The tenant's name


def test_the_tenant_is_renamed(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert 'value="Ada&#x27;s worklog"' in page(signed_in, f"{PAGE}tenant-name/")
    shown = signed_in.post(f"{PAGE}tenant-name/", {"name": "Acme"}, follow=True).content.decode()
    assert "The tenant is called “Acme” now." in shown


def test_an_empty_name_is_refused_beside_its_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(f"{PAGE}tenant-name/", {"name": " "}, headers=HTMX)
    assert response.status_code == 422
    assert response.context["form"].errors["name"]
    assert fake_backend.calls_of("PATCH", "/api/tenant/") == []
