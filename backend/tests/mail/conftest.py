"""The kind of mail that these tests send, and no broker behind them."""

import pytest

from apps.mail import dispatch, registry
from tests.mail.samples import register_note


@pytest.fixture(autouse=True)
def _note(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_kinds", dict(registry._kinds))
    monkeypatch.setattr(dispatch, "_senders", [])
    register_note()
