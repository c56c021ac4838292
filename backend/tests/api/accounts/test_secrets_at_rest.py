"""Whoever reads the database cannot act as anybody: no live secret lies in any column."""

from typing import Any

import pytest
from django.db import connection

from apps.common import clock
from apps.invitations.services import create_passkey
from tests.accounts.mailbox import follow_link, read_reset_link
from tests.api_client import anonymous
from tests.factories.accounts import PASSWORD

pytestmark = pytest.mark.django_db

_COLUMNS = """
    SELECT c.table_name, c.column_name
    FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
    WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE'
      AND (c.data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'ARRAY', 'bytea'))
"""


def find_in_database(secret: str) -> list[str]:
    """The columns that hold the text anywhere."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(_COLUMNS)
        for table, column in cursor.fetchall():
            # Names from the catalogue; the text is a parameter.
            cursor.execute(
                f'SELECT count(*) FROM "{table}" WHERE position(%s IN "{column}"::text) > 0',  # noqa: S608
                [secret],
            )
            if cursor.fetchone()[0]:
                found.append(f"{table}.{column}")
    return found


def sign_in(**more: Any) -> Any:
    client = anonymous()
    token = client.post("/api/auth/token/", {"username": "ada", "password": PASSWORD, **more}).json()["token"]
    client.credentials(HTTP_AUTHORIZATION=f"Token {token}")
    return client, token


def make_journey() -> dict[str, str]:
    """A person from sign-up to reset; every secret that they held on the way and that may still be good."""
    _, passkey = create_passkey(actor=None, now=clock.now())
    person = {"username": "ada", "email": "ada@example.org", "password": PASSWORD, "passkey": passkey}
    anonymous().post("/api/auth/signup/", person)
    secrets = {"passkey": passkey, "password": PASSWORD, "verify key": follow_link("verify_email")[-1]}
    client, secrets["session"] = sign_in()
    wish = {"name": "CI", "scopes": ["read"]}
    made = client.post("/api/auth/tokens/", wish, headers={"Idempotency-Key": "k1"}).json()
    secrets["personal token"] = made["token"]
    client.post("/api/auth/email/change/", {"email": "new@example.org"})
    secrets["change key"] = follow_link("change_email")[-1]
    anonymous().post("/api/auth/password/reset/", {"email": "ada@example.org"})
    secrets["reset link"] = read_reset_link()["token"]
    other, secrets["ended session"] = sign_in(name="Other")
    other.post("/api/auth/logout/")
    return secrets


@pytest.mark.failure("A07")
def test_a_dump_of_the_database_lets_nobody_in() -> None:
    secrets = make_journey()
    assert len(set(secrets.values())) == 8
    assert {name: found for name, secret in secrets.items() if (found := find_in_database(secret))} == {}


@pytest.mark.failure("A07")
def test_the_search_finds_what_is_there() -> None:
    make_journey()
    assert "accounts_user.email" in find_in_database("ada@example.org")
    assert "mail_outgoingmail.context" in find_in_database("ada@example.org")
