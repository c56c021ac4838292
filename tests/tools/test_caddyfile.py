"""The proxy: what it writes into its log, and what its own answers carry. Caddy itself is not at hand here."""

import re
from pathlib import Path

import pytest

CADDYFILE = (Path(__file__).resolve().parents[2] / "deploy" / "Caddyfile").read_text()


def mask(uri: str) -> str:
    """What the log's filter makes of an address. Caddy's expressions are Go's, which agree with Python's here."""
    found = re.search(r'request>uri regexp "(?P<pattern>[^"]+)" "\$\{1\}(?P<rest>[^"]*)"', CADDYFILE)
    assert found is not None
    return re.sub(found["pattern"], lambda match: match[1] + found["rest"], uri)


@pytest.mark.parametrize(
    "uri",
    [
        "/accounts/password/reset/019ab0ef/c2f-5ec7e7/",
        "/accounts/email/verify/019ab0ef.v.1763.5ec7e7/",
        "/erasure-certificates/5ec7e7/",
        "/api/erasure-certificates/5ec7e7/",
    ],
)
def test_the_secret_of_a_link_reaches_no_log(uri: str) -> None:
    assert "5ec7e7" not in mask(uri)
    assert mask(uri).endswith("/...")


@pytest.mark.parametrize("uri", ["/accounts/password/reset/", "/worklog/?q=reset", "/api/auth/email/verify/"])
def test_other_addresses_are_logged_as_they_are(uri: str) -> None:
    assert mask(uri) == uri


def test_the_filter_is_that_of_all_lines() -> None:
    options = CADDYFILE.split("\n}\n", maxsplit=1)[0]
    assert "format filter {" in options
    assert "wrap json" in options
    assert CADDYFILE.count("format ") == 1


@pytest.mark.parametrize("name", ["Strict-Transport-Security", "Content-Security-Policy", "X-Content-Type-Options"])
def test_an_answer_of_the_proxys_own_carries_the_headers(name: str) -> None:
    errors = CADDYFILE.split("handle_errors {", maxsplit=1)[1].split("\n\t}", maxsplit=1)[0]
    assert f"header {name} " in errors


def test_the_api_without_tls_is_refused_and_pages_are_led_to_it() -> None:
    plain = CADDYFILE.split("http://{$BACKEND_HOST} {", maxsplit=1)[1].split("\n}\n", maxsplit=1)[0]
    refused, led = plain.split("handle {", maxsplit=1)
    assert "handle /api/* {" in refused
    assert " 403" in refused
    assert "redir https://{host}{uri}" in led
    assert "reverse_proxy" not in plain
