import re

import pytest
from django.test import Client

from apps.shell.formatting import STATE_LOOKS
from tests.fakes.backend import FakeBackend
from theme.sources import FRONTEND_DIR


@pytest.fixture
def staff(client: Client, fake_backend: FakeBackend, db: None) -> Client:
    fake_backend.add_user("sue", "correct horse", is_staff=True)
    client.post("/accounts/login/", {"login": "sue", "password": "correct horse"})
    return client


def test_it_is_for_staff(signed_in: Client) -> None:
    assert signed_in.get("/ui/").status_code == 403


def test_it_shows_every_state(staff: Client) -> None:
    page = staff.get("/ui/").content.decode()
    assert all(f'data-state="{state}"' in page for state in STATE_LOOKS)


def test_it_shows_every_component(staff: Client) -> None:
    shown = {template.name for template in staff.get("/ui/").templates if template.name}
    components = {f"components/{path.name}" for path in (FRONTEND_DIR / "templates" / "components").glob("*.html")}
    assert components <= shown


def test_staff_see_their_section(staff: Client) -> None:
    assert re.search(r'href="/django-admin/"', staff.get("/ui/").content.decode())
