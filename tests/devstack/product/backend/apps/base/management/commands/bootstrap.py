"""Makes the admin's password file, as the real command does."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--admin-username")
        parser.add_argument("--admin-password-file", type=Path)

    def handle(self, *args: Any, **options: Any) -> None:
        path: Path = options["admin_password_file"]
        if not path.exists():
            path.touch(mode=0o600)
            path.write_text("generated-by-bootstrap\n")
        self.stdout.write("bootstrapped")
