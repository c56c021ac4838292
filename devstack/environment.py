"""The environment that each program of the stack gets: its own secrets and addresses, and what the person has set."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from devstack.config import Config
from devstack.launch import STACK_MARK
from devstack.net import LOOPBACK, frontend_database_url
from devstack.postgres import BACKEND_DATABASE, RUNTIME_ROLE, Cluster
from devstack.valkey import Store

# A shell may carry these for another project (or for a test run): they would steer our services.
NEVER_INHERITED = ("PYTHONPATH", "PYTHONHOME", "DJANGO_SETTINGS_MODULE", "PYTEST_CURRENT_TEST", "PYTEST_XDIST_WORKER")
# What one service must not see of the other.
BACKEND_ONLY = (
    *("DATABASE_URL", "DATABASE_RUNTIME_ROLE", "BACKEND_SECRET_KEY"),
    *("STRIPE_SECRET_KEY", "STRIPE_WEBHOOK_SECRET", "LLM_API_KEY"),
    *("EMAIL_URL", "EMAIL_PROVIDER_KEY", "EMAIL_PROVIDER_OPTIONS"),
)
FRONTEND_ONLY = ("FRONTEND_DATABASE_URL", "FRONTEND_SECRET_KEY")


@dataclass(frozen=True, kw_only=True)
class Addresses:
    """Where the stores are, ours or the person's own."""

    database_url: str
    # The same database as the owner of its tables, which `migrate` needs.
    owner_database_url: str
    frontend_database_url: str
    redis_url: str


def cluster_of(config: Config, secrets: Mapping[str, str]) -> Cluster:
    """Describe the embedded PostgreSQL of this installation."""
    return Cluster(
        data_dir=config.data_dir / "postgres", port=config.ports.postgres, password=secrets["POSTGRES_PASSWORD"]
    )


def store_of(config: Config, secrets: Mapping[str, str]) -> Store:
    """Describe the embedded Valkey of this installation."""
    return Store(data_dir=config.data_dir / "valkey", port=config.ports.valkey, password=secrets["VALKEY_PASSWORD"])


def addresses_of(config: Config, secrets: Mapping[str, str]) -> Addresses:
    """Return where the stores are: what the environment names wins over the embedded servers."""
    cluster = cluster_of(config, secrets)
    owner_url = config.database_url or cluster.url(BACKEND_DATABASE)
    return Addresses(
        database_url=config.database_url or cluster.url(BACKEND_DATABASE, role=RUNTIME_ROLE),
        owner_database_url=owner_url,
        frontend_database_url=config.frontend_database_url or frontend_database_url(owner_url),
        redis_url=config.redis_url or store_of(config, secrets).url,
    )


def service_environment(config: Config, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the whole product; `backend_environment` and `frontend_environment` give each its part.

    What the person has set wins, except for what holds the parts together (addresses and the settings module, which
    only `DJANGO_SETTINGS_MODULE` inside `.env` or a test's extra environment can move).
    """
    addresses = addresses_of(config, secrets)
    defaults = {
        "BACKEND_SECRET_KEY": secrets["BACKEND_SECRET_KEY"],
        "FRONTEND_SECRET_KEY": secrets["FRONTEND_SECRET_KEY"],
        "INTERNAL_API_SECRET": secrets["INTERNAL_API_SECRET"],
        "BACKEND_BASE_URL": config.url("backend"),
        "FRONTEND_BASE_URL": config.url("frontend"),
        "MEDIA_DIR": str(config.data_dir / "media"),
        **_mail_defaults(config),
        **_stripe_defaults(config, secrets),
    }
    inherited = {name: value for name, value in config.environ.items() if value or name not in defaults}
    return {
        "DJANGO_SETTINGS_MODULE": "config.settings.dev",
        **defaults,
        **inherited,
        "DATABASE_URL": addresses.database_url,
        "FRONTEND_DATABASE_URL": addresses.frontend_database_url,
        "REDIS_URL": addresses.redis_url,
        "PYTHONUNBUFFERED": "1",
        STACK_MARK: str(config.data_dir),
    }


def backend_environment(config: Config, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what backend, worker and beat get."""
    return _without(service_environment(config, secrets), FRONTEND_ONLY)


def owner_environment(config: Config, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what a command of the backend gets that changes tables: the owner's address, and whom to let use them."""
    # On a server that is not ours one role may do everything, or the person names the other.
    runtime_role = {} if config.database_url else {"DATABASE_RUNTIME_ROLE": RUNTIME_ROLE}
    owner_url = addresses_of(config, secrets).owner_database_url
    return backend_environment(config, secrets) | {"DATABASE_URL": owner_url} | runtime_role


def frontend_environment(config: Config, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what the frontend gets: no key of the backend, and no way into its database."""
    return _without(service_environment(config, secrets), BACKEND_ONLY)


def plain_environment(config: Config) -> dict[str, str]:
    """Return what servers and stand-ins get: nothing of the product's."""
    kept = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR")
    return {
        **{name: config.environ[name] for name in kept if name in config.environ},
        "PYTHONUNBUFFERED": "1",
        STACK_MARK: str(config.data_dir),
    }


def inheritable(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of a shell's environment that may reach the services."""
    return {name: value for name, value in environ.items() if name not in NEVER_INHERITED}


def worker_name(config: Config) -> str:
    """Return the Celery node name of this installation's worker: a broker may be shared with another one."""
    return f"worker-{sha256(str(config.data_dir).encode()).hexdigest()[:8]}@localhost"


def _mail_defaults(config: Config) -> dict[str, str]:
    if any(config.environ.get(name) for name in ("EMAIL_URL", "EMAIL_HOST", "EMAIL_PROVIDER")):
        return {}
    port = str(config.ports.mail_standin_smtp)
    return {"EMAIL_URL": f"smtp://{LOOPBACK}:{port}", "EMAIL_HOST": LOOPBACK, "EMAIL_PORT": port}


def _stripe_defaults(config: Config, secrets: Mapping[str, str]) -> dict[str, str]:
    if config.environ.get("STRIPE_SECRET_KEY"):
        return {}
    return {
        "STRIPE_API_BASE": config.url("stripe_standin"),
        "STRIPE_SECRET_KEY": secrets["STRIPE_STANDIN_SECRET_KEY"],
        "STRIPE_WEBHOOK_SECRET": secrets["STRIPE_STANDIN_WEBHOOK_SECRET"],
        # Where the frontend's forms may lead to: the stand-in's pages take the place of Stripe's.
        "PAYMENT_ORIGINS": config.url("stripe_standin"),
    }


def _without(environ: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {name: value for name, value in environ.items() if name not in names}
