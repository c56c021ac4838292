"""Migrates and seeds (`seed ACCOUNTS`), or is a client that transfers between random accounts (`run SECONDS SEED`)."""

import json
import os
import random
import sys
import time

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "settings"
django.setup()

from django.core.management import call_command  # noqa: E402 - only once Django is ready
from hordak.models import Account, AccountType  # noqa: E402
from moneyed import Money  # noqa: E402


def seed(accounts: int) -> None:
    """Makes the accounts, all of one kind."""
    call_command("migrate", verbosity=0)
    for number in range(accounts):
        Account.objects.create(name=f"Bench {number}", type=AccountType.liability, currencies=["USD"], code=str(number))


def transfer(seconds: int, seed: int) -> None:
    """Transfers by the library's own call, each in a transaction of its own as the library makes it."""
    accounts = list(Account.objects.order_by("id"))
    choice = random.Random(seed)
    amount = Money("0.01", "USD")
    print("ready", flush=True)
    sys.stdin.readline()
    done, began = 0, time.perf_counter()
    while time.perf_counter() - began < seconds:
        giver, taker = choice.sample(accounts, 2)
        giver.transfer_to(taker, amount)
        done += 1
    print(json.dumps({"done": done, "seconds": time.perf_counter() - began}))


if __name__ == "__main__":
    if sys.argv[1] == "seed":
        seed(int(sys.argv[2]))
    else:
        transfer(int(sys.argv[2]), int(sys.argv[3]))
