"""The person whom a call is made for, told to the backend in a way that it believes: signed with a shared secret."""

import hashlib
import hmac
from dataclasses import dataclass, field

MAX_USER_AGENT_LENGTH = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """The person's address and browser. Without a secret nothing is told: nobody would believe it."""

    address: str
    user_agent: str = ""
    secret: str = field(default="", repr=False)

    def headers(self, *, request_id: str, minute: int) -> dict[str, str]:
        """Headers that hold for this request id and about two minutes. `minute` counts from 1970."""
        if not (self.secret and self.address and request_id):
            return {}
        user_agent = "".join(letter for letter in self.user_agent if " " <= letter <= "~")[:MAX_USER_AGENT_LENGTH]
        # A server drops blanks at either end of a header's value, and the signature would not fit what is left.
        user_agent = user_agent.strip()
        message = "\n".join((str(minute), request_id, self.address, user_agent))
        digest = hmac.new(self.secret.encode(), message.encode(), hashlib.sha256).hexdigest()
        return {
            "X-Client-Address": self.address,
            "X-Client-User-Agent": user_agent,
            "X-Client-Signature": f"{minute}.{digest}",
        }
