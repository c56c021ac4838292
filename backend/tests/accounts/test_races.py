"""Two at the same moment: one address, one link, one token."""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection

from apps.accounts.models import ApiToken, RevokedToken, User
from apps.accounts.services import emails, passwords, tokens
from apps.common import clock
from apps.common.errors import DomainError
from apps.tenants.types import Actor
from tests.accounts.mailbox import follow_link, read_reset_link
from tests.factories.accounts import make_actor

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]

WANTED = "wanted@example.org"


def race(*attempts: Callable[[], object]) -> Counter[str]:
    """How the attempts ended, all begun at once: "done", or the code of the refusal."""
    barrier = Barrier(len(attempts))

    def run(attempt: Callable[[], object]) -> str:
        try:
            barrier.wait(timeout=20)
            attempt()
        except DomainError as error:
            return error.code
        else:
            return "done"
        finally:
            connection.close()

    with ThreadPoolExecutor(len(attempts)) as pool:
        return Counter(pool.map(run, attempts))


@pytest.mark.failure("A23")
def test_of_two_who_prove_the_same_address_one_gets_it() -> None:
    keys = []
    for email in (WANTED, WANTED.upper()):
        actor = make_actor()
        emails.request_change(user_id=actor.user_id, email=email, now=clock.now())
        keys.append(follow_link("change_email")[-1])
    outcome = race(*(lambda key=key: emails.verify_email(key=key, now=clock.now()) for key in keys))
    assert outcome == {"done": 1, "email_taken": 1}
    assert User.objects.filter(email__iexact=WANTED).count() == 1


@pytest.mark.failure("A22")
def test_a_reset_link_is_spent_once_however_many_use_it() -> None:
    make_actor(email="ada@example.org")
    passwords.request_reset(email="ada@example.org", now=clock.now())
    link = read_reset_link()
    attempts = [
        lambda number=number: passwords.reset_password(
            **link, password=f"a fine long sentence {number}", now=clock.now()
        )
        for number in range(4)
    ]
    assert race(*attempts) == {"done": 1, "reset_link_invalid": 3}


def test_a_token_that_two_end_at_once_is_kept_as_ended_once() -> None:
    actor: Actor = make_actor()
    issued = tokens.issue_token(user_id=actor.user_id, name="API", now=clock.now())

    def end() -> None:
        tokens.revoke_token(user_id=actor.user_id, public_id=issued.public_id, now=clock.now())

    assert race(end, end, end) == {"done": 3}
    assert (ApiToken.objects.count(), RevokedToken.objects.count()) == (0, 1)
