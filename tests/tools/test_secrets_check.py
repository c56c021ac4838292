"""What must not be in the repository is found, and only named, never shown."""

import hashlib
import subprocess
from pathlib import Path

import pytest
import secrets_check

ROOT = Path(__file__).resolve().parents[2]
# Looks random and is the same in every worker of a parallel run; written out, it would be found in this very file.
RANDOM = hashlib.sha256(b"planted").hexdigest()[:40] + "7f"


def found_in(text: str) -> list[str]:
    return [what for _, what in secrets_check.findings_in(text)]


@pytest.mark.failure("D12")
def test_this_repository_is_clean() -> None:
    assert secrets_check.problems(ROOT) == []


@pytest.mark.parametrize(
    ("planted", "what"),
    [
        ("-----BEGIN RSA PRIVATE" + " KEY-----", "a private key"),
        (f"curl -H 'Authorization: Token ar_{RANDOM}'", "an API token of AfterResume"),
        (f"stripe.api_key = 'sk_live_{RANDOM}'", "a live Stripe key"),
        (f"whsec_{RANDOM}", "a Stripe webhook secret"),
        ("aws configure AKIA" + "Q3EGR7NLWT2XZ5VD", "an AWS access key"),
        (f"client(sk-proj-{RANDOM})", "a model provider's key"),
        (f"ghp_{RANDOM}", "a GitHub token"),
        (f'DJANGO_SECRET_KEY = "{RANDOM}"', "a random value given to the name of a secret"),
        (f"db_password: {RANDOM}", "a random value given to the name of a secret"),
        (f'"apiKey": "{RANDOM}"', "a random value given to the name of a secret"),
        ("index-url = https://" + "pypi" + ".org/simple", "the address of a package registry"),
        ("https://files." + "pythonhosted" + ".org/x.whl", "the address of a package registry"),
        ("'resolved': 'https://registry." + "npmjs" + ".org/x'", "the address of a package registry"),
        ("@import url(https://" + "fonts.googleapis" + ".com/css)", "the address of a content delivery network"),
        ("fetch('//cdn." + "jsdelivr" + ".net/x')", "the address of a content delivery network"),
        ("<script defer src=" + '"https://example.com/x.js">', "an asset that a browser would load from elsewhere"),
        ("<link rel=stylesheet href=" + '"//example.com/x.css">', "an asset that a browser would load from elsewhere"),
    ],
)
def test_what_is_planted_is_found(planted: str, what: str) -> None:
    assert what in found_in(f"harmless\n{planted}\n")


@pytest.mark.parametrize(
    "line",
    [
        'SECRET_KEY = read_secret("BACKEND_SECRET_KEY")',
        "BACKEND_SECRET_KEY: ${BACKEND_SECRET_KEY:?set it in .env}",
        'KNOX_TOKEN_MODEL = "accounts.ApiToken"',
        f'SECRET_KEY = "only-for-tests-{RANDOM}"',
        "password = make_password_for_the_first_admin_2",
        'KEY = "0f9f2a2e-5a53-4d3b-9d0a-6f1a2b3c4d5e"',
        'SECRET_KEY = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJ"',
        "django==5.2.19 --hash=sha256:" + hashlib.sha256(b"a wheel").hexdigest(),
        '<a href="https://example.com/help">help</a>',
        "FROM python:3.11-slim-bookworm",
    ],
)
def test_what_is_harmless_is_left_alone(line: str) -> None:
    assert found_in(line) == []


def repository(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    subprocess.run(["git", "init", "-q"], cwd=folder, check=True)
    subprocess.run(["git", "add", "-f", "."], cwd=folder, check=True)
    return folder


def test_a_finding_names_file_line_and_rule_but_not_the_text(tmp_path: Path) -> None:
    root = repository(tmp_path, "docs/notes.md", f"one\nPASSWORD={RANDOM}\n".encode())
    assert secrets_check.problems(root) == ["docs/notes.md:2: a random value given to the name of a secret."]


@pytest.mark.parametrize("name", [".env", "deploy/tls/server.key", "backend/secrets.env"])
def test_files_that_hold_secrets_by_their_nature_are_found(tmp_path: Path, name: str) -> None:
    assert secrets_check.problems(repository(tmp_path, name, b"x\n")) == [
        f"{name}: a file of this name is never committed."
    ]


def test_binary_files_are_passed_over(tmp_path: Path) -> None:
    root = repository(tmp_path, "font.woff2", b"\0\1ghp_" + RANDOM.encode())
    assert secrets_check.problems(root) == []


def test_a_test_may_quote_what_a_page_may_not_load(tmp_path: Path) -> None:
    root = repository(tmp_path, "frontend/tests/test_pages.py", b"'<script src=" + b'"https://example.com/x.js">\'\n')
    assert secrets_check.problems(root) == []
