"""Asks a vulnerability service about every locked package: `python tools/audit.py [--may-be-offline]`.

Exit codes: 0 nothing known, 1 something is vulnerable, 2 nobody could be asked. The third is no pass: a service that
does not know a package of ours has told us nothing about it, and pip-audit by itself ends that with "no known
vulnerabilities found". `--may-be-offline` (for `task check`) turns it into a loud remark and exit code 0.

One package is asked about first: where that fails, the others need not be tried.
"""

import argparse
import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[1]
LOCK: Final = ROOT / "requirements.lock"
# Known to every service that knows anything.
PROBE: Final = "django"
# Findings that do not touch us: id and why. Empty is how it should be.
ACCEPTED: Final[dict[str, str]] = {}

NOTHING_KNOWN: Final = 0
VULNERABLE: Final = 1
NOT_ASKED: Final = 2


@dataclass
class Verdict:
    """What the service said: findings in words, packages that it does not know, and why it could not be asked."""

    findings: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    trouble: str = ""


def locked(text: str) -> list[str]:
    """The `name==version` of each locked package, without its hashes and its marker."""
    return re.findall(r"^([A-Za-z0-9][\w.-]*==[^\s;\\]+)", text, flags=re.MULTILINE)


def ask(requirements: Sequence[str], *, options: Sequence[str]) -> Verdict:
    """One run of pip-audit over these packages and nothing that they depend on: the lock has all of them."""
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(requirements) + "\n")
        file.flush()
        command = [sys.executable, "-m", "pip_audit", "-r", file.name, "--no-deps", "--disable-pip", "-f", "json"]
        ignored = [word for name in ACCEPTED for word in ("--ignore-vuln", name)]
        command += ["--progress-spinner", "off", "--timeout", "10", *ignored, *options]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    return read(done.stdout, errors=done.stderr)


def read(output: str, *, errors: str = "") -> Verdict:
    """Sort what pip-audit printed. Anything but its JSON means that it did not come to an end."""
    try:
        packages = json.loads(output)["dependencies"]
    except (ValueError, KeyError, TypeError):
        last = (errors.strip().splitlines() or ["pip-audit said nothing"])[-1]
        return Verdict(trouble=last)
    verdict = Verdict()
    for package in packages:
        if "skip_reason" in package:
            verdict.unknown.append(package["name"])
        for finding in package.get("vulns", ()):
            fixed = ", ".join(finding["fix_versions"]) or "no version yet"
            verdict.findings.append(f"{package['name']} {package['version']}: {finding['id']}, fixed in {fixed}")
    return verdict


def judge(verdict: Verdict, *, may_be_offline: bool) -> int:
    """Print the verdict; return the exit code."""
    for finding in verdict.findings:
        print(f"VULNERABLE: {finding}", file=sys.stderr)
    if verdict.findings:
        return VULNERABLE
    if not (verdict.trouble or verdict.unknown):
        print("No known vulnerability in the locked packages.")
        return NOTHING_KNOWN
    why = verdict.trouble or f"it does not know {', '.join(verdict.unknown)}"
    print(f"COULD NOT ASK about vulnerabilities: {why}", file=sys.stderr)
    print("The locked packages are NOT audited. Run `task audit` where a service can be reached.", file=sys.stderr)
    return NOTHING_KNOWN if may_be_offline else NOT_ASKED


def main(arguments: Sequence[str] | None = None) -> int:
    """Ask about one package, then about all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--may-be-offline", action="store_true")
    parser.add_argument("--osv-url", default="", help="an OSV service in place of the package index")
    chosen = parser.parse_args(arguments)
    options = ["-s", "osv", "--osv-url", chosen.osv_url] if chosen.osv_url else []
    requirements = locked(LOCK.read_text())
    verdict = ask([item for item in requirements if item.startswith(f"{PROBE}==")], options=options)
    if not (verdict.trouble or verdict.unknown):
        verdict = ask(requirements, options=options)
    return judge(verdict, may_be_offline=chosen.may_be_offline)


if __name__ == "__main__":
    sys.exit(main())
