"""One running product for all of this folder: it takes longer to start than to ask."""

from collections.abc import Iterator

import pytest

from tests.fuzz.product import Product, run_product


@pytest.fixture(scope="session")
def product() -> Iterator[Product]:
    with run_product() as product:
        yield product
