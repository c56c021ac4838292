"""The generated admin's second factor: set up once, kept for the owner, left alone when it is not ours."""

import json
from pathlib import Path
from typing import Any

import pyotp
import pytest

from devstack import second_factor
from devstack.config import Config, load

SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
URI = f"otpauth://totp/AfterResume:admin?secret={SECRET}&issuer=AfterResume"


@pytest.fixture
def config(tmp_path: Path) -> Config:
    (tmp_path / "admin-password").write_text("generated\n")
    return load(environ={"DATA_DIR": str(tmp_path), "BACKEND_PORT": "1"}, reads_dotenv=False)


class Api:
    """A backend that lets the admin set an authenticator app up."""

    def __init__(self, **answers: dict[str, Any]) -> None:
        self.answers: dict[str, dict[str, Any]] = {
            "token/": {"token": "ar_key"},
            "second-factor/totp/": {"secret": SECRET, "uri": URI},
            "second-factor/totp/confirm/": {"recovery_codes": ["one", "two"]},
            "logout/": {},
        }
        self.answers |= {name.replace("__", "/").replace("_", "-"): answer for name, answer in answers.items()}
        self.calls: list[tuple[str, dict[str, str]]] = []

    def __call__(self, _config: Config, path: str, body: dict[str, str], *, token: str = "") -> dict[str, Any]:
        assert bool(token) == (path != "token/")
        self.calls.append((path, body))
        return self.answers[path]


def ensure(config: Config, api: Api, monkeypatch: pytest.MonkeyPatch) -> bool:
    monkeypatch.setattr(second_factor, "_post", api)
    return second_factor.ensure(config, username="admin")


def test_it_is_set_up_once_and_kept_for_the_owner(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    assert ensure(config, api, monkeypatch)
    assert [path for path, _ in api.calls][-1] == "logout/"
    path = second_factor.path_of(config)
    assert path.read_text().splitlines() == [URI, "one", "two"]
    assert path.stat().st_mode & 0o077 == 0
    assert sorted(item.name for item in config.data_dir.iterdir()) == ["admin-password", "admin-second-factor"]
    assert not ensure(config, Api(token__={}), monkeypatch)


def test_its_code_can_be_asked_for(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    assert (second_factor.read_uri(config), second_factor.current_code(config)) == ("", "")
    ensure(config, Api(), monkeypatch)
    assert pyotp.TOTP(SECRET).verify(second_factor.current_code(config), valid_window=1)


@pytest.mark.parametrize(
    "answer", [{}, {"code": "bad_credentials"}, {"code": "second_factor_required"}, {"status": "ok"}]
)
def test_an_admin_who_has_changed_something_is_left_alone(
    config: Config, monkeypatch: pytest.MonkeyPatch, answer: dict[str, Any]
) -> None:
    assert not ensure(config, Api(token__=answer), monkeypatch)
    assert second_factor.read_uri(config) == ""


def test_a_start_that_was_cut_off_is_finished(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    second_factor.path_of(config).with_suffix(".pending").write_text(f"{URI}\n")
    assert ensure(config, Api(token__={"code": "second_factor_required"}), monkeypatch)
    assert second_factor.read_uri(config) == URI


def test_a_refused_confirmation_leaves_nothing_behind(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    api = Api()
    api.answers["second-factor/totp/confirm/"] = {"code": "bad_code"}
    assert not ensure(config, api, monkeypatch)
    assert [item.name for item in config.data_dir.iterdir()] == ["admin-password"]


def test_a_backend_that_is_away_is_no_failure(config: Config) -> None:
    assert json.dumps(second_factor._post(config, "token/", {})) == "{}"
