"""Refusals in the form that Stripe gives them."""

from typing import Any

Json = dict[str, Any]


class StripeError(Exception):
    """A request that is refused; `extra` goes into the error object (a decline code, the payment intent)."""

    def __init__(
        self, message: str, *, status: int = 400, kind: str = "invalid_request_error", code: str = "", **extra: object
    ) -> None:
        super().__init__(message)
        self.message = message
        self.status = status
        self.kind = kind
        self.code = code
        self.extra = extra

    def as_json(self) -> Json:
        """Return the answer's body."""
        error: Json = {"type": self.kind, "message": self.message, **self.extra}
        if self.code:
            error["code"] = self.code
        return {"error": error}


def missing(kind: str, object_id: str) -> StripeError:
    """Return the error for an id that names nothing."""
    return StripeError(f"No such {kind}: '{object_id}'", status=404, code="resource_missing", param="id")


def required(params: Json, name: str) -> Any:
    """Return a parameter; raises StripeError when it is missing."""
    if params.get(name) in (None, ""):
        raise StripeError(f"Missing required param: {name}.", code="parameter_missing", param=name)
    return params[name]


def positive_amount(params: Json, name: str = "amount") -> int:
    """Return an amount in cents, at least 1; raises StripeError."""
    text = str(required(params, name))
    if not text.isascii() or not text.isdigit() or int(text) < 1:
        raise StripeError(f"Invalid positive integer: {text}", code="parameter_invalid_integer", param=name)
    return int(text)


def is_true(value: object) -> bool:
    """Read a boolean of a form."""
    return value in {"true", "True", "1", True}
