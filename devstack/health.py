"""Is a program well? Asked from outside, in its own protocol."""

import urllib.request
from collections.abc import Callable, Mapping

from celery import Celery
from kombu.exceptions import OperationalError

from devstack.config import Config
from devstack.environment import addresses_of, cluster_of, store_of, worker_name
from devstack.net import is_listening

HTTP_TIMEOUT_S = 5.0
PING_TIMEOUT_S = 0.5
BACKEND_PATH = "/api/readyz/"
FRONTEND_PATH = "/health/"
STANDIN_PATH = "/_health"

Probe = Callable[[], bool]


def probes(config: Config, secrets: Mapping[str, str]) -> dict[str, Probe]:
    """Return the question to ask each program; one that is not here is well when it runs."""
    return {
        "postgres": cluster_of(config, secrets).answers,
        "valkey": store_of(config, secrets).answers,
        "standin-llm": lambda: answers_http(config.url("llm_standin") + STANDIN_PATH),
        "standin-mail": lambda: (
            answers_http(config.url("mail_standin_web") + STANDIN_PATH) and is_listening(config.ports.mail_standin_smtp)
        ),
        "standin-stripe": lambda: answers_http(config.url("stripe_standin") + STANDIN_PATH),
        "backend": lambda: answers_http(config.url("backend") + BACKEND_PATH),
        "frontend": lambda: answers_http(config.url("frontend") + FRONTEND_PATH),
        "worker": lambda: answers_ping(addresses_of(config, secrets).redis_url, worker_name(config)),
    }


def answers_http(url: str) -> bool:
    """Say whether a GET is answered with 200."""
    try:
        with urllib.request.urlopen(url, timeout=HTTP_TIMEOUT_S) as answer:  # noqa: S310 - our own http:// address
            return bool(answer.status == 200)
    except (OSError, ValueError):
        return False


def answers_ping(redis_url: str, node: str) -> bool:
    """Say whether the Celery worker of that name answers over the broker."""
    app = Celery(broker=redis_url, set_as_current=False)
    app.conf.broker_transport_options = {"socket_connect_timeout": 2, "socket_timeout": 5}
    try:
        with app.connection_for_read(connect_timeout=2) as connection:
            return bool(app.control.ping(destination=[node], timeout=PING_TIMEOUT_S, connection=connection))
    except (OperationalError, OSError):
        return False
    finally:
        app.close()
