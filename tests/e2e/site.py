"""Whom the tests meet at the site: browsers of several people at once, their mail, their authenticator apps."""

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pyotp
from playwright.sync_api import Browser, BrowserContext, Page

from devstack.stack import Stack

WAIT_S = 30.0
PATIENCE_MS = 20_000
STEP_S = 30

READ_TOKEN = """
from django.contrib.sessions.models import Session
from apps.shell.client import TOKEN_SESSION_KEY
print(Session.objects.get(pk__in={keys!r}).get_decoded()[TOKEN_SESSION_KEY])
"""


@dataclass(frozen=True, kw_only=True)
class Site:
    """The running product as people see it."""

    stack: Stack
    browser: Browser
    # Secrets that were on the way and must lie in no log.
    secrets: set[str] = field(default_factory=set)

    @property
    def address(self) -> str:
        return address_of_pages(self.stack)

    def new_context(self, **options: Any) -> BrowserContext:
        given = {"base_url": self.address, "viewport": {"width": 1280, "height": 900}, **options}
        context = self.browser.new_context(**given)
        context.set_default_timeout(PATIENCE_MS)
        return context

    @contextmanager
    def elsewhere(self, **options: Any) -> Iterator[Page]:
        """A page of another browser, on which any script error or refused resource fails the test."""
        context = self.new_context(**options)
        try:
            with watched(context.new_page()) as page:
                yield page
        finally:
            context.close()

    def wait_for_mail(self, to: str, subject: str) -> str:
        """The text of the newest mail to this address whose subject begins so."""
        deadline = time.monotonic() + WAIT_S
        while True:
            answer = httpx.get(f"{self.stack.urls.mail}/messages.json", params={"to": to}, trust_env=False)
            mails = answer.json()["messages"]
            for mail in mails:
                if mail["subject"].startswith(subject):
                    return str(mail["text"])
            assert time.monotonic() < deadline, f"no “{subject}” to {to}, only {[mail['subject'] for mail in mails]}"
            time.sleep(0.2)

    def read_session_token(self, page: Page) -> str:
        """The backend token behind this browser's session, which the browser itself never sees."""
        cookies = {cookie["name"]: cookie["value"] for cookie in page.context.cookies()}
        code = READ_TOKEN.format(keys=tuple(cookies.values()))
        token = self.stack.manage("frontend", "shell", "-v", "0", "-c", code).split()[-1]
        self.secrets.add(token)
        return token

    def wait_for_link(self, to: str, subject: str) -> str:
        """The first address in that mail; its last part is a secret."""
        found = re.search(r"https?://\S+", self.wait_for_mail(to, subject))
        assert found is not None
        self.secrets.add(found[0].rstrip("/").rsplit("/", 1)[-1])
        return found[0]


def address_of_pages(stack: Stack) -> str:
    """Security keys want a name for a site, not a number."""
    return stack.urls.frontend.replace("127.0.0.1", "localhost")


@contextmanager
def watched(page: Page) -> Iterator[Page]:
    """Any script error or refused resource (CSP) fails the test."""
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(f"script error: {error}"))
    page.on("console", lambda line: problems.append(line.text) if "Content Security Policy" in line.text else None)
    yield page
    assert not problems, problems


def code_of(secret: str, *, steps_ago: int = 0) -> str:
    """What the app shows; the code of the step before is still taken, and each is taken once."""
    return pyotp.TOTP(secret).at(time.time() - steps_ago * STEP_S)


def plug_in_security_key(page: Page) -> None:
    """A USB key that its owner touches at once."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    options = {
        "protocol": "ctap2",
        "transport": "usb",
        "hasResidentKey": False,
        "hasUserVerification": True,
        "isUserVerified": True,
        "automaticPresenceSimulation": True,
    }
    session.send("WebAuthn.addVirtualAuthenticator", {"options": options})
