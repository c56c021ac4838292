"""What a run was measured on."""

import os
import platform
from importlib.metadata import version

import psycopg

SETTINGS = ("fsync", "synchronous_commit", "full_page_writes", "shared_buffers", "wal_sync_method")
PACKAGES = ("Django", "psycopg", "granian")


def describe(*, database_url: str) -> dict[str, str]:
    """Cores, load, versions, and the server's settings that decide how durable a commit is."""
    with psycopg.connect(database_url) as connection:
        rows = [connection.execute(f"SHOW {name}").fetchone() for name in ("server_version", *SETTINGS)]
    values = [str(row[0]) for row in rows if row]
    return {
        "cores": str(os.cpu_count()),
        "machine": f"{platform.system()} {platform.machine()}, {_processor()}",
        "load average at start": " ".join(f"{value:.2f}" for value in os.getloadavg()),
        "Python": platform.python_version(),
        **{package: version(package) for package in PACKAGES},
        "PostgreSQL": values[0],
        "durability": ", ".join(f"{name}={value}" for name, value in zip(SETTINGS, values[1:], strict=True)),
    }


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:  # noqa: PTH123 - a pseudo-file, read line by line
            names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    except OSError:
        names = []
    return names[0] if names else "unknown processor"
