"""Prints a key that tells what was asked for."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--note")
        parser.add_argument("--promo-credit")
        parser.add_argument("--raw", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"key-worth-{options['promo_credit']}")
