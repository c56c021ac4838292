"""What the environment and `.env` decide."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from devstack import credentials, dotenv
from devstack.config import Config, ConfigError, load, remember, restored
from devstack.environment import backend_environment, frontend_environment, inheritable
from devstack.valkey import Store


def configured(tmp_path: Path, **environ: str) -> Config:
    config = load(environ={"DATA_DIR": str(tmp_path / "data"), **environ}, root=tmp_path)
    config.make_folders()
    return config


def backend_of(config: Config) -> dict[str, str]:
    return backend_environment(config, credentials.load_or_generate(config))


def test_the_process_environment_wins_over_dotenv(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("BACKEND_PORT=8001\nFRONTEND_PORT=3001\n")
    ports = configured(tmp_path, BACKEND_PORT="8002").ports
    assert (ports.backend, ports.frontend) == (8002, 3001)


def test_dotenv_reads_quotes_comments_and_export(tmp_path: Path) -> None:
    path = tmp_path / ".env"
    path.write_text("# note\nexport A='x y'\nB=\"#1\"\nC=plain # why\n\nD=\n")
    assert dotenv.read(path) == {"A": "x y", "B": "#1", "C": "plain", "D": ""}


def test_a_line_that_is_no_assignment_names_file_and_line(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("A=1\nnonsense\n")
    with pytest.raises(dotenv.DotenvError, match=r"\.env:2: expected NAME=value"):
        dotenv.read(tmp_path / ".env")


@pytest.mark.parametrize("value", ["0", "65536", "http", "-1", "8000 9"])
def test_a_port_that_is_none_names_its_variable(tmp_path: Path, value: str) -> None:
    with pytest.raises(ConfigError, match="BACKEND_PORT is "):
        configured(tmp_path, BACKEND_PORT=value)


def test_two_variables_with_one_port_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="BACKEND_PORT and FRONTEND_PORT are both 3000"):
        configured(tmp_path, BACKEND_PORT="3000")


def test_a_database_of_another_kind_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="DATABASE_URL must start with postgres"):
        configured(tmp_path, DATABASE_URL="mysql://x/y")


def test_secrets_are_generated_once_and_for_the_owner_alone(tmp_path: Path) -> None:
    config = configured(tmp_path)
    first = credentials.load_or_generate(config)
    path = config.data_dir / "secrets.env"
    assert credentials.load_or_generate(config) == first
    assert (path.stat().st_mode & 0o777, config.data_dir.stat().st_mode & 0o777) == (0o600, 0o700)
    assert len(set(first.values())) == len(first)


def test_a_secret_that_came_later_is_added_to_the_others(tmp_path: Path) -> None:
    config = configured(tmp_path)
    dotenv.write_private(config.data_dir / "secrets.env", {"POSTGRES_PASSWORD": "kept"})
    found = credentials.load_or_generate(config)
    assert found["POSTGRES_PASSWORD"] == "kept"
    assert found["VALKEY_PASSWORD"]


def test_the_frontend_gets_no_way_into_the_backend(tmp_path: Path) -> None:
    config = configured(tmp_path, LLM_API_KEY="k")
    environ = frontend_environment(config, credentials.load_or_generate(config))
    assert not {"DATABASE_URL", "BACKEND_SECRET_KEY", "STRIPE_SECRET_KEY", "LLM_API_KEY"} & set(environ)
    assert environ["FRONTEND_DATABASE_URL"].endswith("/afterresume_frontend")
    assert environ["BACKEND_BASE_URL"] == "http://127.0.0.1:8000"


def test_no_model_is_configured_by_default(tmp_path: Path) -> None:
    assert not [name for name in backend_of(configured(tmp_path)) if name.startswith("LLM_")]


def test_what_the_person_has_set_reaches_the_services(tmp_path: Path) -> None:
    config = configured(tmp_path, LLM_MODEL="m", EMAIL_HOST="mail.example", REDIS_URL="redis://elsewhere/1")
    environ = backend_of(config)
    assert (environ["LLM_MODEL"], environ["EMAIL_HOST"], environ["REDIS_URL"]) == (
        "m",
        "mail.example",
        "redis://elsewhere/1",
    )
    assert "EMAIL_URL" not in environ


def test_a_stripe_key_of_the_persons_own_keeps_the_stand_in_out(tmp_path: Path) -> None:
    environ = backend_of(configured(tmp_path, STRIPE_SECRET_KEY="sk_test_own"))
    assert environ["STRIPE_SECRET_KEY"] == "sk_test_own"
    assert "STRIPE_API_BASE" not in environ


def test_the_frontends_database_is_derived_from_the_backends(tmp_path: Path) -> None:
    config = configured(tmp_path, DATABASE_URL="postgres://u:p@db:5432/ar?sslmode=require")
    environ = frontend_environment(config, credentials.load_or_generate(config))
    assert environ["FRONTEND_DATABASE_URL"] == "postgres://u:p@db:5432/ar_frontend?sslmode=require"


def test_the_settings_of_another_project_are_not_inherited() -> None:
    shell = {"DJANGO_SETTINGS_MODULE": "other.settings", "PYTHONPATH": "/other", "HOME": "/root"}
    assert inheritable(shell) == {"HOME": "/root"}


def test_a_running_stack_is_found_where_it_was_started(tmp_path: Path) -> None:
    remember(configured(tmp_path, BACKEND_PORT="8100", REDIS_URL="redis://elsewhere/1"))
    found = restored(configured(tmp_path))
    assert (found.ports.backend, found.redis_url) == (8100, "redis://elsewhere/1")


def test_a_long_data_folder_has_its_socket_elsewhere(tmp_path: Path) -> None:
    config = load(environ={"DATA_DIR": str(tmp_path / ("d" * 100))}, root=tmp_path)
    assert len(str(config.control_socket)) < 90


def test_a_server_that_starts_while_its_configuration_is_written_reads_it_whole(tmp_path: Path) -> None:
    store = Store(data_dir=tmp_path, port=1)
    store.configure()
    path = tmp_path / "valkey.conf"
    with ThreadPoolExecutor(2) as pool:
        writers = [pool.submit(lambda: [store.configure() for _ in range(200)]) for _ in range(2)]
        seen = {path.read_text() for _ in range(2000)}
        assert all(len(writer.result()) == 200 for writer in writers)
    assert len(seen) == 1
    assert [file.name for file in tmp_path.iterdir()] == ["valkey.conf"]
