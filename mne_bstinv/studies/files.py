"""Which files of a study go with a results file: its channel file, covariances, head model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable
from contextvars import copy_context
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.errors import ProtocolError
from mne_bstinv.io.result_links import stored_results
from mne_bstinv.io.stored_paths import find_stored, normalise
from mne_bstinv.studies.ahead import Ahead, Task
from mne_bstinv.studies.lately import Lately

__all__ = ["Studies", "StudyFiles", "find_file"]

logger = logging.getLogger("mne_bstinv")

T = TypeVar("T")


def find_file(
    stored_path: str | None, folder: Path, protocol: io.Protocol | None, kind: str = "data"
) -> Path | None:
    """Find a file by the path stored in another: in the protocol, without one in a folder.

    The path is relative to the protocol's folder of a ``kind``, ``'data'`` or ``'anat'``.
    """
    if protocol is not None:
        return io.resolve(protocol, stored_path, kind)
    name = normalise(stored_results(stored_path or "")).name
    return find_stored(folder, name) if name else None


@dataclass(frozen=True, kw_only=True)
class StudyFiles:
    """The files that go with the results of one folder."""

    folder: Path
    protocol: io.Protocol | None
    channel_file: Path | None
    noise_cov_file: Path | None
    data_cov_file: Path | None

    @property
    def searched(self) -> str:
        """The folders that were searched, for messages."""
        return str(self.folder if self.protocol is None else self.protocol.root)

    def find(self, stored_path: str | None, kind: str) -> Path | None:
        """Find a file by the path stored in another, see :func:`find_file`."""
        return find_file(stored_path, self.folder, self.protocol, kind)


class Studies:
    """Files of the studies visited; each file and its copies are read once while in use.

    A protocol that was read already is not read again.
    """

    def __init__(self, protocol: io.Protocol | None = None) -> None:
        self._ahead = Ahead()
        #: Files that were read, with the names of their readers: these are not read ahead again.
        self._read: set[tuple[str, Path]] = set()
        self.head_model = Lately(partial(self.read, io.read_head_model), 1)
        self.channels = Lately(io.read_channels, 4)
        self.noise_cov = Lately(io.read_noise_cov, 4)
        self._by_folder: dict[Path, StudyFiles] = {}
        self._protocols: dict[Path, io.Protocol] = {}
        self._conditions: dict[Path, dict[Path, io.Condition]] = {}
        if protocol is not None:
            self._protocols[protocol.root.resolve()] = protocol

    def read(self, reader: Callable[[Path], T], file: Path) -> T:
        """Read a file, or wait for the thread that reads it."""
        self._read.add((reader.__name__, file))
        found: T | None = self._ahead.take((reader.__name__, file))
        return reader(file) if found is None else found

    def expect(self, reads: Iterable[tuple[Callable[[Path], Any], Path]]) -> None:
        """Let a thread read files that will be asked for; forget what was expected before."""
        self._ahead.expect(
            Task((reader.__name__, file), partial(copy_context().run, reader, file))
            for reader, file in reads
            if (reader.__name__, file) not in self._read and not self._is_known(reader, file)
        )

    def _is_known(self, reader: Callable[[Path], Any], file: Path) -> bool:
        return reader is io.read_head_model and file in self.head_model

    def of(self, file: Path) -> StudyFiles:
        """Return the files that go with a results file."""
        folder = file.parent.resolve()
        if folder not in self._by_folder:
            self._by_folder[folder] = self._gather(folder)
        return self._by_folder[folder]

    def _gather(self, folder: Path) -> StudyFiles:
        protocol = self._protocol(folder)
        condition = None if protocol is None else self._by_place(protocol).get(folder)
        if condition is not None:
            channel, noise, data = (
                condition.channel_file,
                condition.noise_cov_file,
                condition.data_cov_file,
            )
        else:  # a default study, or a folder outside of any protocol
            channel, noise, data = (
                _last_of_kind(folder, kind) for kind in ("channel", "noisecov", "ndatacov")
            )
        return StudyFiles(
            folder=folder,
            protocol=protocol,
            channel_file=channel,
            noise_cov_file=noise,
            data_cov_file=data,
        )

    def _by_place(self, protocol: io.Protocol) -> dict[Path, io.Condition]:
        """Return the conditions of a protocol by their resolved folders, looked up once."""
        if protocol.root not in self._conditions:
            listed = (c for s in protocol.subjects for c in s.conditions)
            found: dict[Path, io.Condition] = {}
            for condition in listed:
                found.setdefault(condition.folder.resolve(), condition)
            self._conditions[protocol.root] = found
        return self._conditions[protocol.root]

    def _protocol(self, folder: Path) -> io.Protocol | None:
        for root, protocol in self._protocols.items():
            if folder.is_relative_to(root):
                return protocol
        try:
            protocol = io.read_protocol(folder)
        except ProtocolError:
            return None
        self._protocols[protocol.root.resolve()] = protocol
        return protocol


def _last_of_kind(folder: Path, kind: str) -> Path | None:
    files = sorted(f for f in folder.glob("*.mat") if io.file_kind(f.name) == kind)
    if len(files) > 1:  # Brainstorm keeps one in a folder
        others = few(file.name for file in files[:-1])
        logger.warning("%s is taken, not %s: move what is not meant.", files[-1], others)
    return files[-1] if files else None
