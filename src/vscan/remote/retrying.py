"""The one place that sends a request again, and the one that waits for one from outside.

Full jitter (Brooker, "Exponential backoff and jitter", AWS Architecture Blog, 2015): each wait is
drawn evenly from 0 to a bound that doubles.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, TypeVar

from tenacity import (
    AsyncRetrying,
    RetryCallState,
    retry_if_exception,
    stop_after_attempt,
    wait_random_exponential,
)

from vscan.remote.answers import answer_of

T = TypeVar("T")
ATTEMPTS = 5
"""Of a request, the first one included."""
FIRST_WAIT_S = 0.5
"""Bound of the first wait."""
LONGEST_WAIT_S = 20.0
LONGEST_ASKED_S = 30.0
"""A service that asks to be left alone for longer (Retry-After) is asked again after this."""
ANSWER_S = 120.0
"""Seconds within which an answer must be whole, however steadily it trickles."""
_log = logging.getLogger(__name__)


async def retried(
    request: Callable[[], Awaitable[T]],
    *,
    attempts: int = ATTEMPTS,
    on_retry: Callable[[], None] = lambda: None,
    within_s: float | None = ANSWER_S,
) -> T:
    """What a request brings, sent again while what it meets may pass.

    Throttling, answers of status 5xx, broken connections, timeouts and short bodies pass; anything
    else is raised at once, and so is the last error. A cancelled task waits no longer.
    within_s: that each attempt has; None: it sees to that itself.
    """
    drawn = wait_random_exponential(multiplier=FIRST_WAIT_S, max=LONGEST_WAIT_S)

    def wait(state: RetryCallState) -> float:
        asked = answer_of(_error_of(state)).retry_after_s or 0.0
        return max(drawn(state), min(asked, LONGEST_ASKED_S))

    def before(state: RetryCallState) -> None:
        on_retry()
        said = answer_of(_error_of(state)).text
        _log.debug("attempt %d of %d: %s", state.attempt_number, attempts, said)

    async def once() -> T:
        async with asyncio.timeout(within_s):
            return await request()

    retrying = AsyncRetrying(
        sleep=asyncio.sleep,
        stop=stop_after_attempt(attempts),
        wait=wait,
        retry=retry_if_exception(lambda error: answer_of(error).kind == "passing"),
        before_sleep=before,
        reraise=True,
    )
    return await retrying(once)


def _error_of(state: RetryCallState) -> BaseException:
    error = state.outcome.exception() if state.outcome is not None else None
    return error if error is not None else RuntimeError("no error")


def waited_for(coroutine: Coroutine[Any, Any, T]) -> T:
    """What a coroutine comes to on fsspec's loop, from any other thread.

    Whatever ends the waiting (KeyboardInterrupt) ends the coroutine.
    """
    from fsspec.asyn import get_loop

    future = asyncio.run_coroutine_threadsafe(coroutine, get_loop())
    try:
        return future.result()
    except BaseException:
        future.cancel()
        raise
