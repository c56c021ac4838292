"""Answers to idempotent calls are kept for a week."""

from datetime import timedelta

import pytest

from apps.api.models import StoredAnswer
from apps.common import clock
from apps.common.purging import purge_plugged
from tests.api_client import client_for, with_key
from tests.factories.accounts import make_actor

pytestmark = pytest.mark.django_db


def test_an_answer_is_kept_for_a_week_and_then_purged() -> None:
    client_for(make_actor()).post("/api/auth/tokens/", {"name": "CI", "scopes": ["read"]}, **with_key("k1"))
    assert purge_plugged(now=clock.now() + timedelta(days=6))["stored_answers"] == 0
    assert purge_plugged(now=clock.now() + timedelta(days=8))["stored_answers"] == 1
    assert not StoredAnswer.objects.exists()
