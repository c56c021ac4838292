"""Numbers of documents under real concurrency: no gap and no double, whoever gives up on the way."""

from collections.abc import Callable

import pytest
from django.db import transaction

from apps.billing.models import BillingDocument, DocumentSeries, PaymentAttempt
from apps.billing.services.payments.documents import issue_receipt
from tests.factories.billing import NOW, make_payment, make_reserve
from tests.races.test_billing import run_together

pytestmark = [pytest.mark.race, pytest.mark.django_db(transaction=True)]


class GaveUpError(Exception):
    """Whatever goes wrong after a number was taken."""


def issue(attempt: PaymentAttempt, *, gives_up: bool = False) -> Callable[[], str]:
    def act() -> str:
        with transaction.atomic():
            number = str(issue_receipt(attempt=attempt, now=NOW))
            if gives_up:
                raise GaveUpError
            return number

    return act


def list_numbers() -> list[int]:
    return list(BillingDocument.objects.filter(series="R").order_by("number").values_list("number", flat=True))


def test_receipts_of_different_customers_are_numbered_without_a_gap() -> None:
    attempts = [make_payment(make_reserve()) for _ in range(6)]
    run_together([issue(attempt) for attempt in attempts])
    assert list_numbers() == [1, 2, 3, 4, 5, 6]


def test_a_number_that_was_given_up_is_the_next_one_s() -> None:
    attempts = [make_payment(make_reserve()) for _ in range(6)]
    run_together([issue(attempt, gives_up=index % 2 == 0) for index, attempt in enumerate(attempts)])
    assert list_numbers() == [1, 2, 3]
    assert DocumentSeries.objects.get(prefix="R").last_number == 3


def test_one_payment_announced_from_all_sides_has_one_receipt() -> None:
    attempt = make_payment(make_reserve())
    numbers = run_together([issue(attempt)] * 6)
    assert set(numbers) == {"R-000001"}
    assert list_numbers() == [1]
