"""Calls side by side, for pages that cannot have all they show in one round trip."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar, overload

A = TypeVar("A")
B = TypeVar("B")
C = TypeVar("C")
D = TypeVar("D")
E = TypeVar("E")

# Threads mostly wait for the backend; a busier moment than this queues instead of drowning it.
_pool = ThreadPoolExecutor(max_workers=16, thread_name_prefix="backend-call")


@overload
def together(a: Callable[[], A], b: Callable[[], B], /) -> tuple[A, B]: ...
@overload
def together(a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], /) -> tuple[A, B, C]: ...
@overload
def together(
    a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], d: Callable[[], D], /
) -> tuple[A, B, C, D]: ...
@overload
def together(
    a: Callable[[], A], b: Callable[[], B], c: Callable[[], C], d: Callable[[], D], e: Callable[[], E], /
) -> tuple[A, B, C, D, E]: ...


def together(*calls: Callable[[], object]) -> tuple[object, ...]:
    """Run independent calls at once and return their results in order; the first failure is raised.

    The calls must not touch the database: they run in threads of their own.
    """
    futures = [_pool.submit(copy_context().run, call) for call in calls]
    return tuple(future.result() for future in futures)
