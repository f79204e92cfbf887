"""Reading ahead: the next items are made while the last ones are used."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from queue import SimpleQueue
from threading import Thread
from typing import TypeVar

Item = TypeVar("Item")


def read_ahead(items: Iterable[Item], size: int) -> Generator[Item, None, None]:
    """The same items in the same order, up to `size` of them made in advance by a thread of their own.

    An error of `items` is raised in its place, after the items before it. When the iterator is closed, the thread ends with the item it is
    at. Nobody waits for that, neither here nor at the end of the process: it may be an item that never comes, as from an idle pipe.
    """
    # Queues, and no `threading.Semaphore`: that is written in Python, and where the exception of a signal (Ctrl-C, SIGTERM) comes between
    # its taking a lock and its being ready to give it back, whoever wants it next waits for ever.
    room: SimpleQueue[None] = SimpleQueue()
    for _ in range(size):
        room.put(None)
    results: SimpleQueue[tuple[Item] | Exception | None] = SimpleQueue()  # an item, what broke, or the end
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
        while (result := results.get()) is not None:
            if isinstance(result, Exception):
                raise result
            room.put(None)
            yield result[0]
    finally:
        wanted = False
        room.put(None)
