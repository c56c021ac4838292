"""Support access: given with a reason and an end, listed, ended."""

import pytest
from django.test import Client

from tests.fakes import house_shapes as shapes
from tests.fakes.backend import FakeBackend
from tests.fakes.browsing import HTMX
from tests.fakes.identity import refuse
from tests.fakes.shapes import ABSENT_ID

PAGE = "/profile/support/"
GRANT = {"reason": "My report misses two entries", "worklog": "on", "reports": "on", "minutes": "240"}


def page(client: Client, path: str = PAGE) -> str:
    return client.get(path).content.decode()


@pytest.mark.parametrize("path", ["", f"{ABSENT_ID}/", f"{ABSENT_ID}/revoke/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(PAGE + path)["Location"].startswith("/accounts/login/")


def test_access_is_given_with_areas_and_an_end(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "Nobody was let in" in page(signed_in)
    shown = signed_in.post(PAGE, GRANT, follow=True).content.decode()
    assert "Support can look until" in shown
    assert "59" in shown
    sent = fake_backend.calls_of("POST", "/api/tenant/support-grants/")[0].body
    assert sent == {"reason": "My report misses two entries", "scopes": ["worklog", "reports"], "minutes": 240}


def test_an_area_must_be_chosen_and_nothing_typed_is_lost(signed_in: Client, fake_backend: FakeBackend) -> None:
    response = signed_in.post(PAGE, {"reason": "Look, please", "minutes": "60"})
    assert response.context["form"].errors["billing"] == ["Choose at least one area."]
    assert "Look, please" in response.content.decode()
    assert fake_backend.calls_of("POST", "/api/tenant/support-grants/") == []


def test_a_refusal_stands_beside_its_field(signed_in: Client, fake_backend: FakeBackend) -> None:
    refused = refuse(400, "invalid", "Please check.", {"scopes": ["Not this one."]})
    fake_backend.answer_with("POST", "/api/tenant/support-grants/", refused)
    response = signed_in.post(PAGE, GRANT)
    assert (response.status_code, response.context["form"].errors["billing"]) == (400, ["Not this one."])


def test_giving_access_asks_for_a_fresh_proof_and_waits(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.is_stale = True
    assert signed_in.post(PAGE, GRANT)["Location"].startswith("/accounts/reauthenticate/")
    assert signed_in.session["held_form"]["path"] == PAGE


def test_access_is_ended_after_a_question(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.grants.append(shapes.grant())
    address = f"{PAGE}{fake_backend.grants[0]['id']}/revoke/"
    assert address in page(signed_in)
    assert "My report misses two entries" in signed_in.get(address, headers=HTMX).content.decode()
    shown = signed_in.post(address, follow=True).content.decode()
    assert "Support access has ended." in shown
    assert 'data-state="revoked"' in shown


def test_access_that_is_over_says_so_in_the_dialog(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.grants.append(shapes.grant(state="expired"))
    address = f"{PAGE}{fake_backend.grants[0]['id']}/revoke/"
    assert address not in page(signed_in)
    response = signed_in.post(address, headers=HTMX)
    assert response.status_code == 422
    assert "This grant is over already." in response.content.decode()


def test_each_look_is_listed(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.grants.append(shapes.grant(access_count=26))
    fake_backend.accesses.extend(shapes.access() for _ in range(26))
    address = f"{PAGE}{fake_backend.grants[0]['id']}/"
    assert "26 looks" in page(signed_in)
    shown = page(signed_in, address)
    for told in ("/api/worklogs/", "sam", f"{address}?cursor=25"):
        assert told in shown
    assert signed_in.get(f"{address}?cursor=25", headers=HTMX).content.decode().count("<code>") == 1


def test_looks_of_an_older_grant_are_shown_without_its_reason(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.grants.extend(shapes.grant(state="expired", reason=f"Reason {number}") for number in range(101))
    shown = page(signed_in, f"{PAGE}{fake_backend.grants[-1]['id']}/")
    assert "Nobody has looked" in shown
    assert "Reason 100" not in shown


def test_older_grants_are_a_page_away(signed_in: Client, fake_backend: FakeBackend) -> None:
    fake_backend.grants.extend(shapes.grant(state="expired") for _ in range(26))
    assert f"{PAGE}?cursor=25" in page(signed_in)


def test_a_grant_that_is_not_there_is_404(signed_in: Client) -> None:
    assert [signed_in.get(f"{PAGE}{ABSENT_ID}/{act}").status_code for act in ("", "revoke/")] == [404, 404]
