from collections.abc import Iterator

import pytest

from apps.shell.cache import ForgivingRedisCache


@pytest.fixture
def lost_cache() -> Iterator[ForgivingRedisCache]:
    """Nobody listens on this port."""
    cache = ForgivingRedisCache("redis://127.0.0.1:9/0", {"OPTIONS": {"socket_connect_timeout": 0.2}})
    yield cache
    cache.close()


def test_a_lost_cache_finds_nothing(lost_cache: ForgivingRedisCache) -> None:
    assert lost_cache.get("key", "default") == "default"


def test_a_lost_cache_takes_everything(lost_cache: ForgivingRedisCache) -> None:
    lost_cache.set("key", 1)
    assert lost_cache.add("key", 1) is True
    assert lost_cache.delete("key") is False
