"""Django admin in a real browser, under its content security policy."""

import pytest
from playwright.sync_api import Page, expect

from devstack.stack import Stack

OPEN_SESSION = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from apps.accounts.models import User
from apps.common import clock
from apps.mfa.selectors import has_second_factor
user = User.objects.get(username={username!r})
session = import_module(settings.SESSION_ENGINE).SessionStore()
session[SESSION_KEY] = str(user.pk)
session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
session[HASH_SESSION_KEY] = user.get_session_auth_hash()
session["ar_authenticated_at"] = clock.now().isoformat()
session["ar_second_factor"] = True
session.create()
print(has_second_factor(user_id=user.pk), session.session_key)
"""


@pytest.fixture
def violations(page: Page) -> list[str]:
    """What the browser has refused to run or to load."""
    found: list[str] = []
    page.on(
        "console", lambda message: found.append(message.text) if "Content Security Policy" in message.text else None
    )
    page.on("pageerror", lambda error: found.append(str(error)))
    return found


@pytest.mark.failure("D07")
def test_the_pages_of_the_administration_work_under_their_policy(
    stack: Stack, page: Page, violations: list[str]
) -> None:
    page.goto(f"{stack.urls.backend}/admin/login/")
    expect(page.get_by_label("Password")).to_be_visible()
    answer = stack.manage("backend", "shell", "-v", "0", "-c", OPEN_SESSION.format(username=stack.admin_username))
    has_factor, key = answer.split()[-2:]
    assert has_factor == "True"
    page.context.add_cookies([{"name": "ar_backend_session", "value": key, "url": stack.urls.backend}])
    for path in ("/admin/", "/admin/accounts/user/", "/admin/accounts/user/add/", "/admin/invitations/invitepasskey/"):
        page.goto(f"{stack.urls.backend}{path}")
        expect(page).to_have_url(f"{stack.urls.backend}{path}")
        # Alpine has run: it takes these marks away.
        expect(page.locator("[x-cloak]")).to_have_count(0)
    assert violations == []
