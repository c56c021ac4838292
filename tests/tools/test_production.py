"""Production settings, complete and incomplete: the images' and compose's own commands, run on real servers."""

import re
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from tests.tools import production
from tests.tools.production import Image, Servers, Site

REQUIRED = {
    "backend": (
        "BACKEND_SECRET_KEY",
        "INTERNAL_API_SECRET",
        "DATABASE_URL",
        "REDIS_URL",
        "ALLOWED_HOSTS",
        "FRONTEND_BASE_URL",
        "S3_ACCESS_KEY",
        "S3_SECRET_KEY",
    ),
    "frontend": (
        "FRONTEND_SECRET_KEY",
        "INTERNAL_API_SECRET",
        "FRONTEND_DATABASE_URL",
        "REDIS_URL",
        "ALLOWED_HOSTS",
        "FRONTEND_BASE_URL",
        "BACKEND_BASE_URL",
    ),
}
SERVICES = ("backend", "frontend")
# What people write into a file in a hurry: too short, repeated, in order, or from an example.
LAZY_SECRETS = (
    "changeme-please",
    "a" * 64,
    "ab" * 40,
    "kq7Zt1Lw0pR3" * 6,
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ",
    "django-insecure-" + "q8w2e9r1t7y4u3i6o5p0" * 3 + "z",
    "please-CHANGE-ME-before-you-go-live-7f3a9c1e5b8d2046kqzwxv",
)
LAZY_PASSWORDS = ("", ":@", ":postgres@", ":hunter2@", ":changeme-12345@", ":abcdefghijklmnop@", ":aaaaaaaaaaaaaaaa@")
PAYMENTS = {
    "STRIPE_SECRET_KEY": ("sk_test_" + "4eC39HqLyjWD" * 2, "changeme", "sk_live_x"),
    "STRIPE_WEBHOOK_SECRET": ("", "changeme", "whsec_x"),
    "STRIPE_API_BASE": ("http://127.0.0.1:8102",),
}
LIVE = {"STRIPE_SECRET_KEY": "sk_live_" + "4eC39HqLyjWD" * 2, "STRIPE_WEBHOOK_SECRET": "whsec_" + "4eC39HqLyjWD" * 2}


def lazy_urls(scheme: str) -> list[str]:
    return [f"{scheme}://{'user' if password else ''}{password or ''}server/0" for password in LAZY_PASSWORDS]


Case = tuple[str, str, str]
WEAK: tuple[Case, ...] = (
    *(("backend", "BACKEND_SECRET_KEY", value) for value in LAZY_SECRETS),
    *(("frontend", "FRONTEND_SECRET_KEY", value) for value in LAZY_SECRETS),
    *((service, "INTERNAL_API_SECRET", value) for service in SERVICES for value in LAZY_SECRETS),
    *(("backend", "DATABASE_URL", url) for url in ("sqlite:///changeme.db", *lazy_urls("postgres"))),
    *(("frontend", "FRONTEND_DATABASE_URL", url) for url in ("sqlite:///changeme.db", *lazy_urls("postgres"))),
    *((service, "REDIS_URL", url) for service in SERVICES for url in lazy_urls("redis")),
    ("backend", "S3_SECRET_KEY", "changeme-please"),
    *(
        (service, "ALLOWED_HOSTS", value)
        for service in SERVICES
        for value in ("changeme.example,*", ".changeme.example", "*.changeme.example", ",", "*")
    ),
    *(
        (service, "FRONTEND_BASE_URL", value)
        for service in SERVICES
        for value in ("http://changeme.example", "https:///changeme", "changeme.example")
    ),
    *(
        (service, "CSRF_TRUSTED_ORIGINS", value)
        for service in SERVICES
        for value in ("http://changeme.example", "https://*.changeme.example")
    ),
    ("frontend", "BACKEND_BASE_URL", "changeme.example"),
    ("backend", "RATE_LIMITS", "api_token=unlimited"),
    *((service, "DEBUG", value) for service in SERVICES for value in ("true", "1", "yes")),
    *((service, "FAILPOINTS", "after_hold_commit=kill") for service in SERVICES),
)


def without(environment: Mapping[str, str], name: str, value: str | None) -> dict[str, str]:
    rest = {key: kept for key, kept in environment.items() if key != name}
    return rest if value is None else rest | {name: value}


def sign_up_with_credit(backend: Site) -> None:
    image = backend.image
    words = ["python", "manage.py", "create_passkey", "--promo-credit", "5.00", "--raw"]
    passkey = image.run(words, environment=backend.environment).stdout.strip()
    person = {"username": "ada", "email": "ada@example.test", "password": "correct horse battery", "passkey": passkey}
    answer = backend.post("/api/auth/signup/", person)
    assert answer.status_code == 201, answer.text


def migrate(image: Image) -> subprocess.CompletedProcess[str]:
    """Run compose's one-shot service; what it writes into its volume goes into the image's folder."""
    name = f"{image.service}-migrate"
    words = [production.interpolate(word, {}) for word in production.COMPOSE["services"][name]["command"]]
    local = [word.replace("/var/lib/afterresume", str(image.folder)) for word in words]
    return image.run(local, environment=image.files_only(name))


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Servers]:
    with production.servers(tmp_path_factory.mktemp("servers")) as running:
        yield running


@pytest.fixture(scope="module")
def images(servers: Servers, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Image]:
    return {name: Image.build(name, folder=tmp_path_factory.mktemp(name), servers=servers) for name in SERVICES}


@pytest.fixture(scope="module")
def weak_refusals(images: dict[str, Image]) -> dict[Case, str]:
    """How the settings fail for each weak value, asked in two processes and not in a hundred."""
    found: dict[Case, str] = {}
    for service in SERVICES:
        cases = [case for case in WEAK if case[0] == service]
        environments = [images[service].environment(service, **{name: value}) for _, name, value in cases]
        found |= zip(cases, images[service].refusals(environments), strict=True)
    return found


@pytest.fixture(scope="module")
def migrated(images: dict[str, Image]) -> dict[str, Image]:
    """Both databases after compose's one-shot services; the admin's password lies in a file of ours."""
    for name in SERVICES:
        done = migrate(images[name])
        assert done.returncode == 0, done.stderr
    return images


@pytest.fixture(scope="module")
def backend(migrated: dict[str, Image], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with production.site(migrated["backend"], log=tmp_path_factory.mktemp("logs") / "backend.log") as running:
        yield running


@pytest.fixture(scope="module")
def frontend(migrated: dict[str, Image], backend: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    log = tmp_path_factory.mktemp("logs") / "frontend.log"
    address = f"http://127.0.0.1:{backend.port}"
    with production.site(migrated["frontend"], log=log, BACKEND_BASE_URL=address) as running:
        yield running


class TestDatabases:
    def test_each_service_reaches_its_own_database_only(self, servers: Servers, images: dict[str, Image]) -> None:
        own = images["backend"].environment("backend")["DATABASE_URL"]
        others = f"{own}_frontend"
        assert servers.psql(own, "SELECT current_database()").stdout == "afterresume\n"
        assert "permission denied for database" in servers.psql(others, "SELECT 1").stderr

    def test_the_services_roles_have_no_special_rights(self, servers: Servers) -> None:
        special = "rolsuper OR rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls"
        statement = f"SELECT count(*) FROM pg_roles WHERE rolname LIKE 'afterresume%' AND NOT ({special})"  # noqa: S608
        url = servers.cluster.url("postgres", role="postgres")
        assert servers.psql(url, statement).stdout == "3\n"


class TestSettings:
    @pytest.mark.failure("D05")
    @pytest.mark.parametrize("service", SERVICES)
    def test_django_has_no_warning_about_the_deployment(self, images: dict[str, Image], service: str) -> None:
        image = images[service]
        words = ["python", "manage.py", "check", "--deploy", "--fail-level", "WARNING"]
        done = image.run(words, environment=image.environment(service))
        assert (done.returncode, done.stderr) == (0, "")

    def test_a_complete_environment_is_accepted(self, images: dict[str, Image]) -> None:
        assert [images[name].refusals([images[name].environment(name)]) for name in SERVICES] == [[""], [""]]

    @pytest.mark.failure("D01")
    @pytest.mark.parametrize("value", [None, "", " "])
    @pytest.mark.parametrize("service", SERVICES)
    def test_without_a_required_variable_nothing_starts(
        self, images: dict[str, Image], service: str, value: str | None
    ) -> None:
        complete = images[service].environment(service)
        cases = [without(complete, name, value) for name in REQUIRED[service]]
        for name, refusal in zip(REQUIRED[service], images[service].refusals(cases), strict=True):
            last = (refusal.strip().splitlines() or [f"{name} is not missed"])[-1]
            assert re.search(rf"ImproperlyConfigured: .*\b{name}\b", last), last
            assert complete[name] not in refusal

    @pytest.mark.failure("D01", "D02", "D03", "D18")
    @pytest.mark.parametrize("case", WEAK, ids=lambda case: "-".join(case)[:60])
    def test_a_weak_value_is_refused_and_not_shown(self, weak_refusals: Mapping[Case, str], case: Case) -> None:
        _, name, value = case
        last = weak_refusals[case].strip().splitlines()[-1]
        assert re.search(rf"ImproperlyConfigured: {name}\b", last), last
        assert len(value) < 5 or value not in last

    @pytest.mark.failure("D01")
    @pytest.mark.parametrize("service", SERVICES)
    def test_one_secret_for_two_purposes_is_refused(self, images: dict[str, Image], service: str) -> None:
        complete = images[service].environment(service)
        own = f"{service.upper()}_SECRET_KEY"
        [refusal] = images[service].refusals([complete | {"INTERNAL_API_SECRET": complete[own]}])
        assert f"{own}, INTERNAL_API_SECRET must differ" in refusal
        assert complete[own] not in refusal

    @pytest.mark.failure("D04")
    def test_only_live_keys_of_payments_are_taken_and_only_with_their_webhooks_secret(
        self, images: dict[str, Image]
    ) -> None:
        image = images["backend"]
        cases = [(name, value) for name, values in PAYMENTS.items() for value in values]
        refusals = image.refusals([image.environment("backend", **LIVE | {name: value}) for name, value in cases])
        for (name, value), refusal in zip(cases, refusals, strict=True):
            assert f"ImproperlyConfigured: {name}" in refusal, (name, refusal)
            assert len(value) < 5 or value not in refusal
        assert image.refusals([image.environment("backend", **LIVE)]) == [""]

    @pytest.mark.failure("D18", "D02")
    @pytest.mark.parametrize("service", SERVICES)
    def test_the_images_hold_neither_debugging_nor_test_hooks(self, images: dict[str, Image], service: str) -> None:
        image = images[service]
        code = (
            "from django.conf import settings; print(settings.DEBUG, dict(getattr(settings, 'FAILPOINTS', {})));"
            "import importlib.util as u; print([u.find_spec(f'config.settings.{n}') for n in ('dev', 'test', 'chaos')])"
        )
        done = image.run(["python", "-c", code], environment=image.environment(service))
        assert done.stdout == "False {}\n[None, None, None]\n"

    @pytest.mark.parametrize("service", SERVICES)
    def test_the_web_server_ends_when_the_settings_refuse(self, images: dict[str, Image], service: str) -> None:
        image = images[service]
        command = image.stage.last("CMD")
        assert command is not None
        done = image.run(command.arguments, environment={"GRANIAN_HOST": "127.0.0.1", "GRANIAN_PORT": "0"})
        assert done.returncode != 0
        assert f"{service.upper()}_SECRET_KEY is not set" in done.stderr + done.stdout

    @pytest.mark.parametrize("service", SERVICES)
    def test_static_files_are_gathered_under_hashed_names(self, images: dict[str, Image], service: str) -> None:
        assert (images[service].workdir / "staticfiles" / "staticfiles.json").stat().st_size > 100


class TestBackend:
    def test_it_is_alive_and_ready(self, backend: Site) -> None:
        assert backend.get("/api/healthz/").status_code == 200
        assert backend.get("/api/readyz/").json()["status"] == "ok"

    @pytest.mark.failure("D03")
    def test_an_unknown_host_is_refused(self, backend: Site) -> None:
        assert backend.get("/api/healthz/", Host="evil.example").status_code == 400

    @pytest.mark.failure("D09")
    def test_a_browser_is_led_to_https_and_told_to_stay_there(self, backend: Site) -> None:
        plain = backend.get("/admin/")
        assert (plain.status_code, plain.headers["Location"]) == (301, "https://api.example.test/admin/")
        secure = backend.get("/admin/login/", X_Forwarded_Proto="https")
        assert secure.status_code == 200
        assert secure.headers["Strict-Transport-Security"].startswith("max-age=31536000; includeSubDomains")
        cookie = secure.headers["Set-Cookie"]
        assert cookie.startswith("__Host-ar_backend_csrf=")
        assert all(part in cookie for part in ("Path=/", "SameSite=Lax", "Secure"))
        assert "Domain" not in cookie

    def test_the_frontend_may_call_it_inside_the_network_without_tls(self, backend: Site) -> None:
        inside = backend.get("/api/me/", Host="backend")
        assert (inside.status_code, inside.json()["code"]) == (401, "not_authenticated")

    def test_its_static_files_are_served_for_ever(self, backend: Site) -> None:
        page = backend.get("/admin/login/", X_Forwarded_Proto="https").text
        styles = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', page)
        assert styles
        answer = backend.get(styles[0], X_Forwarded_Proto="https")
        assert "immutable" in answer.headers["Cache-Control"]


class TestFrontend:
    def test_it_is_alive(self, frontend: Site) -> None:
        assert frontend.get("/health/").status_code == 200

    @pytest.mark.failure("D09")
    def test_the_sign_in_page_is_whole(self, frontend: Site) -> None:
        page = frontend.get("/accounts/login/", X_Forwarded_Proto="https")
        assert page.status_code == 200
        assert "__Host-ar_csrf=" in page.headers["Set-Cookie"]
        assert "Secure" in page.headers["Set-Cookie"]

    def test_every_file_that_the_sign_in_page_names_is_there(self, frontend: Site) -> None:
        page = frontend.get("/accounts/login/", X_Forwarded_Proto="https").text
        names = set(re.findall(r'(?:href|src)="(/static/[^"#?]+)', page))
        assert names
        assert {name: frontend.get(name, X_Forwarded_Proto="https").status_code for name in names} == dict.fromkeys(
            names, 200
        )

    def test_an_unknown_host_is_refused(self, frontend: Site) -> None:
        assert frontend.get("/health/", Host="evil.example").status_code == 400

    def test_plain_http_leads_to_https(self, frontend: Site) -> None:
        assert frontend.get("/").headers["Location"] == "https://app.example.test/"


class TestProcesses:
    def test_the_health_check_fails_once_the_service_has_left(self, migrated: dict[str, Image], tmp_path: Path) -> None:
        with production.site(migrated["backend"], log=tmp_path / "log") as running:
            running.process.terminate()
            # Docker waits as long as compose's stop_grace_period says, then kills.
            assert running.process.wait(timeout=30) == 0
        assert running.health() != 0

    def test_the_worker_answers_composes_own_health_check(self, migrated: dict[str, Image], tmp_path: Path) -> None:
        image, service = migrated["backend"], production.COMPOSE["services"]["worker"]
        environment = image.files_only("worker", HOSTNAME="production-test")
        words = [production.interpolate(word, {}).replace("%h", "production-test") for word in service["command"]]
        question = production.interpolate(service["healthcheck"]["test"][1], {})
        with image.running(words, environment=environment, log=tmp_path / "log") as process:
            deadline = time.monotonic() + production.START_TIMEOUT_S
            while image.run(["sh", "-c", question], environment=environment).returncode != 0:
                assert process.poll() is None, (tmp_path / "log").read_text()
                assert time.monotonic() < deadline, (tmp_path / "log").read_text()
        assert process.returncode == 0

    @pytest.mark.failure("T08")
    @pytest.mark.parametrize(
        "words",
        [
            ["python", "-c", "import config.wsgi"],
            ["celery", "-A", "config", "worker", "--concurrency", "1"],
            ["celery", "-A", "config", "beat", "--pidfile="],
            ["python", "manage.py", "check", "--database", "default"],
        ],
        ids=["web", "worker", "beat", "check"],
    )
    def test_nothing_starts_as_the_owner_of_the_tables(self, migrated: dict[str, Image], words: list[str]) -> None:
        image = migrated["backend"]
        owner = image.files_only("backend-migrate")["DATABASE_URL"]
        done = image.run(words, environment=image.files_only("worker", DATABASE_URL=owner))
        assert done.returncode != 0
        assert "owns" in done.stderr
        assert owner not in done.stdout + done.stderr

    def test_beat_finds_its_schedule(self, migrated: dict[str, Image], tmp_path: Path) -> None:
        image, log = migrated["backend"], tmp_path / "log"
        command = production.COMPOSE["services"]["beat"]["command"]
        with image.running(command, environment=image.files_only("beat"), log=log) as process:
            deadline = time.monotonic() + production.START_TIMEOUT_S
            while "Sending due task" not in log.read_text():
                assert process.poll() is None, log.read_text()
                assert time.monotonic() < deadline, log.read_text()
                time.sleep(0.2)

    def test_a_restored_backup_proves_its_ledger(self, backend: Site, servers: Servers, tmp_path: Path) -> None:
        image, dump = backend.image, tmp_path / "afterresume.dump"
        sign_up_with_credit(backend)
        copy = (
            image.files_only("worker")["DATABASE_URL"]
            .replace("/afterresume", "/restored")
            .replace("//restored", "//afterresume")
        )
        servers.postgres_tool("pg_dump", "--format=custom", f"--file={dump}", "afterresume")
        servers.postgres_tool("createdb", "--owner=afterresume", "restored")
        servers.postgres_tool("pg_restore", "--exit-on-error", "--dbname=restored", str(dump))
        done = image.run(
            ["python", "manage.py", "prove_ledger"], environment=image.files_only("worker", DATABASE_URL=copy)
        )
        assert "The ledger holds: 2 accounts, 1 entries" in done.stdout, done.stderr

    def test_a_second_start_changes_nothing(self, migrated: dict[str, Image]) -> None:
        image = migrated["backend"]
        password = (image.folder / "admin-password").read_text()
        command = production.COMPOSE["services"]["backend-migrate"]["command"]
        words = [
            production.interpolate(word, {}).replace("/var/lib/afterresume", str(image.folder)) for word in command
        ]
        done = image.run(words, environment=image.files_only("backend-migrate"))
        assert (done.returncode, (image.folder / "admin-password").read_text()) == (0, password)
