"""Read the large files of the next unit while one is converted.

Most of reading is inflating, during which other threads run.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv.port.manifest import content_of
from mne_bstinv.port.plan import ANATOMY, Settings, Unit
from mne_bstinv.port.surroundings import surroundings
from mne_bstinv.workflow.store import Store, file_stamp, n_bytes

__all__ = ["Ahead"]

#: What files have to be large together for: reading smaller ones takes no time to speak of.
_WORTHWHILE = 8_000_000

#: A file with its reader; what a store has under a key.
_File = tuple[Callable[[Path], Any], Path]
_Value = tuple[Hashable, Any]


class Ahead:
    """What a thread reads for the next unit, up to a size; it writes and keeps nothing itself."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._reading: Future[list[_Value]] | None = None

    def begin(
        self, unit: Unit, settings: Settings, store: Store, is_wanted: Callable[[], bool]
    ) -> None:
        """Begin to read what a unit needs and the store lacks, if it turns out to be wanted."""
        files = list(_large_files(unit))
        if sum(_size(file) for _, file in files) < _WORTHWHILE:
            return
        known = store.keys()

        def read() -> list[_Value]:
            with surroundings(settings.blas_threads):
                return list(self._read(files, known)) if is_wanted() else []

        thread = ThreadPoolExecutor(1, "mne_bstinv_ahead")
        self._reading = thread.submit(read)
        thread.shutdown(wait=False)  # it ends when it has read

    def give(self, store: Store) -> None:
        """Let the store keep what was read; wait for the end of reading."""
        reading, self._reading = self._reading, None
        for key, value in () if reading is None else reading.result():
            store.keep(key, value)

    def _read(self, files: list[_File], known: frozenset[Hashable]) -> Iterator[_Value]:
        left = self._max_bytes
        for reader, file in files:
            with suppress(Exception):  # converting it says what is wrong
                key = (reader.__name__, content_of(file))
                if key in known or left < _size(file):
                    continue
                value = reader(file)
                if key[1] == content_of(file):  # it did not change meanwhile
                    left -= n_bytes(value)
                    yield key, value


def _large_files(unit: Unit) -> Iterator[_File]:
    """Yield those inputs of a unit that are large, each with its reader."""
    if unit.kind != ANATOMY and (unit.holds_sensors or unit.files.results):
        yield from ((io.read_head_model, file) for file in unit.files.head_model_files)
        yield from ((io.read_results, entry.file) for entry in unit.files.results)


def _size(file: Path) -> int:
    stamp = file_stamp(file)
    return 0 if stamp is None else stamp[1]
