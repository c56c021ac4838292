"""Staff pages open to staff alone, and to them only with a second factor."""

import pytest
from django.test import Client

from tests.fakes.backend import FakeBackend
from tests.fakes.shapes import ABSENT_ID

PAGES = [
    "users/",
    f"users/{ABSENT_ID}/",
    f"users/{ABSENT_ID}/active/",
    "tenants/",
    f"tenants/{ABSENT_ID}/",
    "audit/",
    "passkeys/",
    f"passkeys/{ABSENT_ID}/revoke/",
    "support/",
    f"support/{ABSENT_ID}/worklog/",
]


@pytest.mark.parametrize("path", [*PAGES, "passkeys/new/"])
def test_the_signed_out_are_sent_to_sign_in(client: Client, db: None, path: str) -> None:
    assert client.get(f"/admin-panel/{path}")["Location"].startswith("/accounts/login/")


@pytest.mark.parametrize("path", PAGES)
def test_others_are_refused(signed_in: Client, path: str) -> None:
    assert signed_in.get(f"/admin-panel/{path}").status_code == 403


@pytest.mark.parametrize("path", PAGES)
def test_staff_without_a_second_factor_are_shown_the_way(staff: Client, fake_backend: FakeBackend, path: str) -> None:
    fake_backend.has_no_factor = True
    response = staff.get(f"/admin-panel/{path}")
    assert response.status_code == 403
    assert "To your security page" in response.content.decode()


def test_the_section_stands_in_the_sidebar_of_staff_alone(signed_in: Client, fake_backend: FakeBackend) -> None:
    assert "/admin-panel/users/" not in signed_in.get("/profile/tokens/").content.decode()


def test_staff_see_their_section(staff: Client) -> None:
    assert 'href="/admin-panel/users/" aria-current="page"' in staff.get("/admin-panel/users/").content.decode()


@pytest.mark.parametrize("path", ["users/", "tenants/", "passkeys/", "support/"])
def test_an_empty_list_says_so(staff: Client, path: str) -> None:
    assert "empty-state" in staff.get(f"/admin-panel/{path}").content.decode()
