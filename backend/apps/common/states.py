"""State machines as data: one table a machine, from which the check, the tests and the diagrams come."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from django.db.models import TextChoices

from apps.common.errors import Conflict

State = TypeVar("State", bound=TextChoices)


class WrongState(Conflict):
    """The thing is in a state from which the wish leads nowhere."""

    code = "wrong_state"
    message = "This is no longer possible as things stand."


@dataclass(frozen=True, slots=True)
class StateMachine(Generic[State]):
    """Which state may follow which. States without successors are final."""

    name: str
    initial: State
    moves: Mapping[State, frozenset[State]]

    def allows(self, before: State, after: State) -> bool:
        return after in self.moves.get(before, frozenset())

    def sources_of(self, after: State) -> frozenset[State]:
        """The states from which `after` can be reached in one move: the WHERE clause of a compare-and-set."""
        return frozenset(before for before, targets in self.moves.items() if after in targets)

    def is_final(self, state: State) -> bool:
        return not self.moves.get(state)

    def render_mermaid(self) -> str:
        """The diagram as Mermaid text, in a stable order."""
        states = list(type(self.initial))
        lines = ["stateDiagram-v2", f"    [*] --> {self.initial.value}"]
        lines += [
            f"    {before.value} --> {after.value}"
            for before in states
            for after in states
            if self.allows(before, after)
        ]
        lines += [f"    {state.value} --> [*]" for state in states if self.is_final(state)]
        return "\n".join(lines) + "\n"
