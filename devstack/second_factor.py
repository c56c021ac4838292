"""The second factor of the generated admin: set up through the API at the first start, as a person would.

Staff are let in with a second factor only, also on this machine. The secret lies beside the generated password, for the
owner alone; nothing in the product knows of it. Whoever scans the address (or resets the factor) takes it over.
"""

import json
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pyotp

from devstack import dotenv
from devstack.config import Config

TIMEOUT_S = 10.0


def path_of(config: Config) -> Path:
    """Return where the `otpauth:` address lies, with the recovery codes below it."""
    return config.data_dir / "admin-second-factor"


def read_uri(config: Config) -> str:
    """Return the `otpauth:` address, or nothing when this data folder does not know one."""
    path = path_of(config)
    return path.read_text().splitlines()[0] if path.exists() else ""


def current_code(config: Config) -> str:
    """Return the code that an authenticator app would show now, or nothing."""
    uri = read_uri(config)
    code = pyotp.parse_uri(uri) if uri else None
    return code.now() if isinstance(code, pyotp.TOTP) else ""


def ensure(config: Config, *, username: str) -> bool:
    """Set the admin's second factor up unless there is one; return whether this was done.

    An admin who has changed the password or has a factor of their own is left alone.
    """
    path, password = path_of(config), config.admin_password_file
    pending = path.with_suffix(".pending")
    if path.exists() or not password.exists():
        return False
    signed_in = _post(config, "token/", {"username": username, "password": password.read_text().strip()})
    if signed_in.get("code") == "second_factor_required" and pending.exists():
        # An earlier start was cut off between the confirmation and the new name.
        pending.rename(path)
        return True
    token = signed_in.get("token", "")
    setup = _post(config, "second-factor/totp/", {}, token=token) if token else {}
    if "uri" not in setup:
        return False
    dotenv.replace_private(pending, setup["uri"] + "\n")
    codes = _confirm(config, setup["secret"], token)
    _post(config, "logout/", {}, token=token)
    if codes:
        dotenv.replace_private(path, "\n".join([setup["uri"], *codes, ""]))
    pending.unlink()
    return bool(codes)


def _confirm(config: Config, secret: str, token: str) -> list[str]:
    """Confirm with the last half minute's code first: the present one is then still good for the person who waits."""
    for age_s in (30, 0):
        code = pyotp.TOTP(secret).at(time.time() - age_s)
        confirmed = _post(config, "second-factor/totp/confirm/", {"code": code}, token=token)
        if "recovery_codes" in confirmed:
            codes: list[str] = confirmed["recovery_codes"]
            return codes
    return []


def _post(config: Config, path: str, body: dict[str, str], *, token: str = "") -> dict[str, Any]:
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Token {token}"} if token else {})
    request = urllib.request.Request(  # noqa: S310 - our own http:// address
        f"{config.url('backend')}/api/auth/{path}", data=json.dumps(body).encode(), headers=headers, method="POST"
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310 - our own http:// address
            content = answer.read()
    except urllib.error.HTTPError as error:
        content = error.read()
    except OSError:
        return {}
    try:
        parsed = json.loads(content or b"{}")
    except ValueError:
        return {}
    return parsed if isinstance(parsed, dict) else {}
