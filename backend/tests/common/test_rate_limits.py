"""Counters on real Valkey: exact, private, and decided when it is away."""

import re
import socket
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from pathlib import Path
from threading import Barrier
from typing import Any

import pytest
import time_machine
from pytest_django import Settings
from redis import Redis

from apps.common import limits
from apps.common.errors import RateLimited, Unavailable
from apps.common.rate_limits import Limit, check, counting, give_back, is_within, network_of, outage

CLOSED = Limit("guesses", 3, 60, fail_closed=True)
OPEN = Limit("reads", 3, 60, fail_closed=False)


@pytest.fixture
def dead_valkey(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1/0"


@pytest.fixture
def mute_valkey(settings: Settings) -> Iterator[None]:
    """Accepts connections and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        settings.REDIS_URL = f"redis://127.0.0.1:{server.getsockname()[1]}/0"
        yield


def use_up(limit: Limit, key: str = "ada") -> None:
    for _ in range(limit.amount):
        check(limit=limit, key=key)


def test_the_amount_is_allowed_and_not_one_more() -> None:
    use_up(CLOSED)
    with pytest.raises(RateLimited) as refused:
        check(limit=CLOSED, key="ada")
    assert 55 <= refused.value.retry_after <= 60
    assert "minute" in refused.value.text or "seconds" in refused.value.text


def test_keys_and_limits_do_not_disturb_each_other() -> None:
    use_up(CLOSED)
    check(limit=CLOSED, key="grace")
    check(limit=OPEN, key="ada")


def test_the_window_moves() -> None:
    with time_machine.travel(1_800_000_000, tick=False) as traveller:
        check(limit=CLOSED, key="ada")
        traveller.shift(40)
        check(limit=CLOSED, key="ada")
        check(limit=CLOSED, key="ada")
        assert not is_within(limit=CLOSED, key="ada")
        traveller.shift(21)
        assert is_within(limit=CLOSED, key="ada")
        assert not is_within(limit=CLOSED, key="ada")


@pytest.mark.parametrize(
    ("seconds", "sentence"),
    [
        (1, "in 1 second."),
        (20, "in 20 seconds."),
        (60, "in 1 minute."),
        (900, "in 15 minutes."),
        (3600, "in 1 hour."),
        (80_000, "in 23 hours."),
    ],
)
def test_a_refusal_says_how_long(seconds: int, sentence: str) -> None:
    limit = Limit("once", 1, seconds, fail_closed=True)
    with time_machine.travel(1_800_000_000, tick=False):
        check(limit=limit, key="ada")
        with pytest.raises(RateLimited, match=sentence) as refused:
            check(limit=limit, key="ada")
    assert refused.value.retry_after == seconds


def test_what_is_given_back_can_be_taken_again() -> None:
    use_up(CLOSED)
    give_back(limit=CLOSED, key="ada")
    assert is_within(limit=CLOSED, key="ada")
    assert not is_within(limit=CLOSED, key="ada")


def guess(*, is_right: bool) -> None:
    with counting(limit=CLOSED, key="ada", failures=(KeyError,)):
        if not is_right:
            raise KeyError


def test_only_failures_are_counted_and_success_resets_nothing() -> None:
    for is_right in (False, True, True, True, False, True, False):
        with nullcontext() if is_right else pytest.raises(KeyError):
            guess(is_right=is_right)
    with pytest.raises(RateLimited):
        guess(is_right=True)


def test_a_crash_is_no_failure_of_the_kind_that_counts() -> None:
    for _ in range(5):
        with pytest.raises(ZeroDivisionError), counting(limit=CLOSED, key="ada", failures=(KeyError,)):
            raise ZeroDivisionError


def test_amounts_and_windows_can_be_changed(settings: Settings) -> None:
    settings.RATE_LIMITS = {"guesses": (1, 30)}
    check(limit=CLOSED, key="ada")
    assert not is_within(limit=CLOSED, key="ada")


def test_neither_names_nor_addresses_lie_in_valkey(settings: Settings) -> None:
    check(limit=CLOSED, key="ada@example.org")
    with Redis.from_url(settings.REDIS_URL) as client:
        keys = client.keys(f"{settings.RATE_LIMIT_PREFIX}*")
    assert len(keys) == 1
    assert b"ada" not in keys[0]


@pytest.mark.failure("A05")
@pytest.mark.race
def test_of_fifty_at_once_exactly_the_amount_pass() -> None:
    barrier = Barrier(50)

    def try_once(_: int) -> bool:
        barrier.wait(timeout=20)
        return is_within(limit=CLOSED, key="ada")

    with ThreadPoolExecutor(50) as pool:
        assert Counter(pool.map(try_once, range(50))) == {True: 3, False: 47}


@pytest.mark.failure("A06")
def test_guessing_is_refused_while_the_counters_are_away(dead_valkey: None) -> None:
    for _ in range(2):
        with pytest.raises(Unavailable):
            check(limit=CLOSED, key="ada")


@pytest.mark.failure("A06")
def test_reading_goes_on_while_the_counters_are_away_with_one_warning(
    dead_valkey: None, caplog: pytest.LogCaptureFixture
) -> None:
    for _ in range(10):
        check(limit=OPEN, key="ada")
    give_back(limit=OPEN, key="ada")
    warnings = [record for record in caplog.records if "rate_limits_unavailable" in record.getMessage()]
    assert len(warnings) == 1


@pytest.mark.failure("A06")
def test_a_valkey_that_says_nothing_holds_nobody_up(mute_valkey: None) -> None:
    started = time.monotonic()
    for _ in range(20):
        check(limit=OPEN, key="ada")
    with pytest.raises(Unavailable):
        check(limit=CLOSED, key="ada")
    assert time.monotonic() - started < 5


def test_after_an_outage_limits_count_again(settings: Settings) -> None:
    alive = settings.REDIS_URL
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    check(limit=OPEN, key="ada")
    settings.REDIS_URL = alive
    outage.failed_at -= 2
    use_up(OPEN)
    assert not is_within(limit=OPEN, key="ada")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("", "unknown"),
        (None, "unknown"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_counts_as_what_one_person_has(address: Any, network: str) -> None:
    assert network_of(address) == network


@pytest.mark.failure("A06")
def test_what_guards_identities_fails_closed() -> None:
    opened = {name for name, limit in limits.ALL.items() if not limit.fail_closed}
    assert opened == {
        *("jobs_tenant", "topup_tenant", "payment_check_tenant", "payment_page_tenant"),
        *("api_token", "api_address"),
    }


def test_the_runbook_lists_every_limit_as_it_is() -> None:
    text = (Path(__file__).resolve().parents[3] / "ADMIN_GUIDE_RUNBOOK.md").read_text(encoding="utf-8")
    listed = dict(re.findall(r"^\| `([a-z_]+)` \| (\d+/\d+) \|", text, re.MULTILINE))
    assert listed == {name: f"{limit.amount}/{limit.seconds}" for name, limit in limits.ALL.items()}
