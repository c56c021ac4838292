"""Loopback ports and the addresses of databases."""

import socket
from urllib.parse import urlsplit, urlunsplit

LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """Return a TCP port of the loopback interface that nothing listens on at this moment."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((LOOPBACK, 0))
        port: int = probe.getsockname()[1]
    return port


def free_ports(count: int) -> list[int]:
    """Return `count` different free loopback ports (held together while they are drawn, so none repeats)."""
    probes = [socket.socket(socket.AF_INET, socket.SOCK_STREAM) for _ in range(count)]
    try:
        for probe in probes:
            probe.bind((LOOPBACK, 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def is_listening(port: int, *, timeout_s: float = 0.5) -> bool:
    """Say whether something accepts connections on this loopback port."""
    try:
        with socket.create_connection((LOOPBACK, port), timeout=timeout_s):
            return True
    except OSError:
        return False


def database_name(url: str) -> str:
    """Return the database that a postgres:// address names."""
    return urlsplit(url).path.lstrip("/")


def with_database(url: str, name: str) -> str:
    """Return the same address for another database of the server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def frontend_database_url(database_url: str) -> str:
    """Derive the frontend's own database from the backend's: same server, name + `_frontend`."""
    return with_database(database_url, f"{database_name(database_url)}_frontend")
