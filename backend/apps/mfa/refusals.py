"""Why a second factor, or a change of one, is refused."""

from apps.common.errors import Conflict, Forbidden, Invalid
from apps.mfa.types import ChallengeView


class SecondFactorRequired(Forbidden):
    """The password was right. Answering the challenge completes the sign-in."""

    code = "second_factor_required"
    message = "Please confirm with your second factor that it is you."

    def __init__(self, *, challenge: ChallengeView | None = None) -> None:
        super().__init__()
        self.challenge = challenge


class BadCode(Invalid):
    """The same for a wrong code, an old one and one that was used: nobody learns which codes exist."""

    code = "bad_code"
    message = "This code is not right, or it was used already."

    def __init__(self, *, field: str = "code") -> None:
        super().__init__(fields={field: [self.message]})


class BadKey(BadCode):
    """The security key's answer does not fit the question. `code` is the same, so that clients have one case."""

    message = "This security key was not accepted."

    def __init__(self) -> None:
        super().__init__(field="credential")


class ChallengeExpired(Invalid):
    """Unknown, too old, tried too often or answered already."""

    code = "challenge_expired"
    message = "This took too long or was tried too often. Please start again."


class LastFactorOfStaff(Conflict):
    code = "last_factor_of_staff"
    message = "Staff need a second factor. Add another one before you remove this one."


class SecondFactorOff(Conflict):
    code = "second_factor_off"
    message = "Set up a second factor first."


class KeyKnown(Conflict):
    code = "key_already_registered"
    message = "This security key is registered already."


class TooManyKeys(Conflict):
    code = "too_many_keys"
    message = "You have as many security keys as an account can have. Remove one first."
