"""A limit on the requests a second that a server answers."""

import math
import threading
import time
from collections.abc import Callable


class RateLimit:
    """A token bucket: `most` requests a second on average, and a second's worth in one burst.

    Args:
        most: float > 0, requests a second. Defaults to None: no limit.
        clock: function that returns seconds. Defaults to `time.monotonic`.

    Raises:
        ValueError: if `most` is not a number above 0.

    Examples:
        >>> limit = RateLimit(2.0, clock=lambda: 0.0)
        >>> [limit.takes_one() for _ in range(3)]
        [True, True, False]
    """

    def __init__(self, most: float | None = None, clock: Callable[[], float] = time.monotonic):
        if most is not None and not 0.0 < most < math.inf:
            raise ValueError(f"The rate is {most} requests a second; give a number above 0.")
        self.most = most
        self._clock = clock
        self._left = self._full = max(most or 0.0, 1.0)
        self._since = clock()
        self._lock = threading.Lock()

    def takes_one(self) -> bool:
        """Returns whether another request may be answered now, a bool; counts it if so."""
        if self.most is None:
            return True
        with self._lock:
            now = self._clock()
            self._left = min(self._full, self._left + self.most * (now - self._since))
            self._since = now
            taken = self._left >= 1.0
            self._left -= taken
            return taken
