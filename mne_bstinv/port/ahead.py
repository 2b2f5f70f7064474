"""The large files of units, which a thread reads before they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from mne_bstinv import io
from mne_bstinv.port.plan import ANATOMY, Unit
from mne_bstinv.workflow.store import Read, file_stamp

__all__ = ["large_files"]

#: What files have to be large together for: reading smaller ones takes no time to speak of.
_WORTHWHILE = 8_000_000


def large_files(unit: Unit, is_wanted: Callable[[], bool]) -> list[Read]:
    """List the large inputs of a unit in the order in which it asks for them."""
    reads = list(_reads(unit, is_wanted))
    return reads if sum(_size(read) for read in reads) >= _WORTHWHILE else []


def _reads(unit: Unit, is_wanted: Callable[[], bool]) -> Iterator[Read]:
    if unit.kind != ANATOMY and (unit.holds_sensors or unit.files.results):
        for file in unit.files.head_model_files:
            yield Read(io.read_head_model, file, is_wanted, unit.folder)
        for entry in unit.files.results:
            yield Read(io.read_results, entry.file, is_wanted, unit.folder)


def _size(read: Read) -> int:
    stamp = file_stamp(read.file)
    return 0 if stamp is None else stamp[1]
