"""Files of a protocol, found by the paths that other files store, and the maps in them."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._types import FloatArray
from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat
from mne_bstinv.io.context import Context
from mne_bstinv.io.own_folders import DEFAULT_STUDY
from mne_bstinv.io.stored_paths import normalise
from mne_bstinv.io.text import History, HistoryRows
from mne_bstinv.studies.files import Studies

__all__ = ["Library", "NotComparableError", "SourceMap"]


class NotComparableError(BstInvError):
    """A stored file cannot be computed again from what the protocol holds."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SourceMap:
    """Estimates on their way from an inverse to a stored map."""

    #: (n_rows, n_times), or the kernel (n_rows, n_channels) where ``is_kernel``.
    values: FloatArray
    #: Rows a location: 1, 3, or 0 for a mixed model.
    n_components: int
    #: The results they began with.
    results: io.Results
    #: (n_times,), s; None for a kernel.
    times: FloatArray | None
    #: The recordings, where they are known.
    recordings: io.Recordings | None
    #: The cortex, relative to the protocol's ``anat``.
    surface_file: str | None
    is_kernel: bool = False

    #: Whether three components were made one.
    is_flat: bool = False

    @property
    def grid_atlas(self) -> io.GridAtlas | None:
        """The regions of a mixed model; of a flat map all are constrained (letter C)."""
        atlas = self.results.grid_atlas
        if atlas is None or not self.is_flat:
            return atlas
        scouts = tuple(
            dataclasses.replace(scout, region=f"{(scout.region or '')[:2]}C")
            for scout in atlas.scouts
        )
        return dataclasses.replace(atlas, scouts=scouts)

    @property
    def regions(self) -> Sequence[io.Scout] | None:
        """The regions of a mixed model."""
        atlas = self.grid_atlas
        return None if atlas is None else atlas.scouts

    @property
    def n_locations(self) -> int:
        """Locations of a model that is not mixed."""
        return len(self.values) // (self.n_components or 1)

    def changed(self, **changes: Any) -> SourceMap:
        """Return the map with other values."""
        return dataclasses.replace(self, **changes)

    def flat(self, values: FloatArray) -> SourceMap:
        """Return the map with one row a location, (n_locations, n_times)."""
        n = 0 if self.n_components == 0 else 1
        return self.changed(values=values, n_components=n, is_flat=True)


class Library:
    """Reads the files of protocols; large ones are kept while they are in use."""

    def __init__(self, studies: Studies) -> None:
        self.studies = studies
        self.results = lru_cache(maxsize=4)(partial(studies.read, io.read_results))
        self.recordings = lru_cache(maxsize=4)(io.read_recordings)
        self.surface = lru_cache(maxsize=4)(io.read_surface)
        self.head_model = studies.head_model
        self.channels = studies.channels
        self._histories = lru_cache(maxsize=2000)(_history_of)

    def history(self, file: Path) -> HistoryRows:
        """Return the history of a file without the rest of it; empty if it cannot be read."""
        return self._histories(file)

    def find(self, stored: str | None, beside: Path, kind: str = "data") -> Path | None:
        """Return the file that a stored path names, looked for from a file of the protocol."""
        return self.studies.of(beside).find(stored, kind)

    def needed(self, stored: str | None, beside: Path, what: str, kind: str = "data") -> Path:
        """Return the file that a stored path names, or say what is missing."""
        found = self.find(stored, beside, kind)
        if found is None:
            raise NotComparableError(f"The {what} {stored!r} is not in the protocol.")
        return found

    def results_file(self, stored: str | None, beside: Path) -> Path:
        """Return the results that a stored path names, or say what is missing or else is there."""
        found = self.needed(stored, beside, "results file")
        if io.file_kind(found.name) not in (None, "results"):
            raise NotComparableError(f"It was not made of results but of {stored!r}.")
        return found

    def surface_of(self, stored: str | None, beside: Path) -> io.Surface:
        """Return a surface by its stored path."""
        return self.surface(self.needed(stored, beside, "surface", "anat"))

    def results_beside(self, file: Path) -> list[Path]:
        """Return the results files that a map of this folder may be made of, nearest first."""
        folders = [file.parent]
        protocol = self.studies.of(file).protocol
        if protocol is not None:
            subject = file.parent.parent
            folders += [subject / DEFAULT_STUDY, protocol.data / DEFAULT_STUDY]
        return [f for folder in dict.fromkeys(folders) for f in self._results_in(folder)]

    def results_of_surface(self, surface_file: str, file: Path) -> list[Path]:
        """Return the results of the subject that a cortex is of, of the same condition first."""
        protocol = self.studies.of(file).protocol
        if protocol is None:
            return []
        subject = normalise(surface_file).parts[0]
        home = protocol.data / subject
        folders = [home / file.parent.name]
        folders += sorted(f for f in home.iterdir() if f.is_dir()) if home.is_dir() else []
        if subject.startswith("@"):  # a template: whatever subject uses it
            folders += [c.folder for s in protocol.subjects for c in s.conditions]
        folders.append(protocol.data / DEFAULT_STUDY)
        return [f for folder in dict.fromkeys(folders) for f in self._results_in(folder)]

    def recordings_in(self, folder: Path) -> list[Path]:
        """Return the recordings of a folder, in name order."""
        return _of_kind(folder, "data")

    def maps_of(self, link: str, beside: Path) -> SourceMap:
        """Return the map of a stored link, or of a results file (a kernel with its recordings)."""
        if link.startswith("link|"):
            _, stored, data = link.split("|")
            results = self.results(self.results_file(stored, beside))
            recordings = self.recordings(self.needed(data, beside, "recordings"))
            return self.applied(results, recordings)
        file = self.results_file(link, beside)
        results = self.results(file)
        if not results.is_kernel:
            return self.full(results, beside)
        own = self.needed(results.data_file, file, "recordings")
        return self.applied(results, self.recordings(own))

    def full(self, results: io.Results, beside: Path) -> SourceMap:
        """Return the map that results hold themselves."""
        values = results.amplitudes
        if values is None or results.n_components is None:
            raise NotComparableError("The results hold no map, or do not say its components.")
        found = self.find(results.data_file, beside)
        return SourceMap(
            values=values,
            n_components=results.n_components,
            results=results,
            times=results.time,
            recordings=None if found is None else self.recordings(found),
            surface_file=results.surface_file,
        )

    def applied(self, results: io.Results, recordings: io.Recordings) -> SourceMap:
        """Return a kernel times recordings; full results as they are."""
        kernel, good, n = results.imaging_kernel, results.good_channel, results.n_components
        if kernel is None:
            return self.full(results, Path())
        if recordings.f is None:
            raise NotComparableError("The recordings are a link to a continuous file.")
        if good is None or n is None or good.max() > len(recordings.f):
            raise NotComparableError(
                f"The kernel {results.comment!r} does not fit the recordings "
                f"{recordings.comment!r} (GoodChannel)."
            )
        return SourceMap(
            values=kernel @ recordings.f[good - 1],
            n_components=n,
            results=results,
            times=recordings.time,
            recordings=recordings,
            surface_file=results.surface_file,
        )

    def _results_in(self, folder: Path) -> Iterator[Path]:
        yield from _of_kind(folder, "results")


def _of_kind(folder: Path, kind: str) -> list[Path]:
    if not folder.is_dir():
        return []
    return sorted(f for f in folder.glob("*.mat") if io.file_kind(f.name) == kind)


def _history_of(file: Path) -> HistoryRows:
    try:
        variables = mat.read(file, ["History"])
        rows = History().read(variables["History"], Context()) if variables else None
    except BstInvError:
        return ()
    return rows or ()
