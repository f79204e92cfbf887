"""Read ahead: a thread makes the next items while the last ones are used."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import Empty, SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")
_LONGEST_WAIT = 0.5  # seconds until a signal is noticed


def read_ahead(items: Iterable[Item], size: int) -> Generator[Item, None, None]:
    """The same items in the same order; up to `size` of them are made in advance by another thread.

    An error of `items` is raised in its place, after the items before it. When the iterator is closed, the thread ends after its current
    item. Nothing waits for the thread, not even the end of the process: the item may never come, as from an idle pipe.
    """
    # Queues, not `threading.Semaphore`, which is written in Python: a signal's exception (Ctrl-C, SIGTERM) between taking its lock and the
    # block that releases it would leave the lock taken for ever.
    room: SimpleQueue[None] = SimpleQueue()
    for _ in range(size):
        room.put(None)
    results: SimpleQueue[tuple[Item] | Exception | None] = SimpleQueue()  # an item, an error, or None for the end
    wanted = True

    def make() -> None:
        try:
            room.get()
            for item in items:
                results.put((item,))
                room.get()
                if not wanted:
                    return
        except Exception as error:
            results.put(error)
        finally:
            results.put(None)

    Thread(target=make, name="relsift-read-ahead", daemon=True).start()
    try:
        while (result := _next(results)) is not None:
            if isinstance(result, Exception):
                raise result
            room.put(None)
            yield result[0]
    finally:
        wanted = False
        room.put(None)


def _next(results: SimpleQueue[Item]) -> Item:
    """The next result. Not by one endless wait: a signal (Ctrl-C) in the instant before it begins would be noticed only at its end."""
    while True:
        try:
            return results.get(timeout=_LONGEST_WAIT)
        except Empty:
            continue
