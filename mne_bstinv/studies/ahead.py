"""What a thread makes before it is asked for: most of reading is inflating, in which others run."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

__all__ = ["Ahead", "Task"]


@dataclass(frozen=True)
class Task:
    """What will be asked for under a key, who makes it, and with which others it is asked for."""

    key: Hashable
    make: Callable[[], Any]
    group: Hashable = None


class Ahead:
    """Objects under keys, made by one thread in the order in which they were announced.

    Who has to wait for one makes others of its group meanwhile. The thread ends when nothing is
    expected any more.
    """

    def __init__(self) -> None:
        self._coming: dict[Hashable, tuple[Task, Future[Any]]] = {}
        self._thread: ThreadPoolExecutor | None = None

    def expect(self, tasks: Iterable[Task]) -> None:
        """Say what will be asked for next: what is new is begun, what is not listed is dropped."""
        listed = {task.key: task for task in tasks}
        for key in self._coming.keys() - listed.keys():
            self._coming.pop(key)[1].cancel()
        for key in [key for key in listed if key not in self._coming]:
            self._thread = self._thread or ThreadPoolExecutor(1, "mne_bstinv_ahead")
            self._coming[key] = (listed[key], self._thread.submit(listed[key].make))
        if self._thread and not self._coming:
            self._thread.shutdown(wait=False)
            self._thread = None

    def take(self, key: Hashable) -> Any:
        """Return what was made under a key, once, or raise what its maker raised.

        None where it is not expected, or not begun: making it here is no later then.
        """
        task, future = self._coming.pop(key, (None, None))
        if task is None or future is None or future.cancel():
            return None
        for other, its_future in list(self._coming.values()):
            if other.group == task.group and not future.done() and its_future.cancel():
                self._coming[other.key] = (other, _made(other))
        return future.result()

    def ready(self) -> Iterator[Any]:
        """Yield what was made and not asked for yet."""
        for _, future in list(self._coming.values()):
            if future.done() and not future.cancelled() and future.exception() is None:
                yield future.result()


def _made(task: Task) -> Future[Any]:
    """Make something in this thread."""
    future: Future[Any] = Future()
    try:
        future.set_result(task.make())
    except Exception as error:  # for who asks for it
        future.set_exception(error)
    return future
