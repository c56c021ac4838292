"""Money in Django admin: everything can be seen; prices change by draft and publication, the rest by services alone."""

from apps.billing.admin import books, payments, rates, reserves

__all__ = ["books", "payments", "rates", "reserves"]
