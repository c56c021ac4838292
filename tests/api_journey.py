"""The journey of a newcomer over the API alone, as the README's curl examples walk it."""

import time
from dataclasses import dataclass, field
from typing import Any

import httpx

WAIT_SECONDS = 60
PASSWORD = "correct horse battery staple"
FINAL = {"succeeded", "failed", "cancelled", "blocked"}


@dataclass
class Traveller:
    """A person with a terminal."""

    base_url: str
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(base_url=self.base_url, timeout=15, trust_env=False)

    def close(self) -> None:
        self.http.close()

    def call(self, method: str, path: str, *, expect: int, key: str | None = None, **body: Any) -> Any:
        """One call; its JSON. Any other status than the expected fails with the answer's text."""
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.http.request(method, path, json=body or None, headers=headers)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text}"
        return answer.json() if answer.content else None

    def sign_up(self, *, name: str, passkey: str) -> None:
        fields = {"username": name, "email": f"{name}@example.org", "password": PASSWORD, "passkey": passkey}
        self.call("POST", "/api/auth/signup/", expect=201, **fields)
        token = self.call("POST", "/api/auth/token/", expect=200, username=name, password=PASSWORD)["token"]
        self.http.headers["Authorization"] = f"Token {token}"

    def write_entry(self, title: str, **fields: Any) -> Any:
        return self.call("POST", "/api/worklogs/", expect=201, title=title, **fields)

    def ask_for_report(self, *, day: str, key: str) -> tuple[str, str]:
        """Starts a brag document over the days around `day`: (report id, job id)."""
        params = {"kind": "brag_document", "period_from": day, "period_to": day}
        started = self.call("POST", "/api/reports/", expect=202, key=key, **params)
        return started["report"]["id"], started["job"]["id"]

    def wait_for_job(self, job_id: str, *, seconds: float = WAIT_SECONDS) -> Any:
        """The job once it has ended."""
        deadline = time.monotonic() + seconds
        while True:
            job = self.call("GET", f"/api/jobs/{job_id}/", expect=200)
            if job["state"] in FINAL:
                return job
            assert time.monotonic() < deadline, f"the job did not end: {job}"
            time.sleep(0.2)

    def read_balance(self) -> int:
        return int(self.call("GET", "/api/billing/reserve/balance/", expect=200)["balance_micros"])

    def read_ledger(self) -> list[dict[str, Any]]:
        return list(self.call("GET", "/api/billing/reserve/ledger/", expect=200)["results"])
