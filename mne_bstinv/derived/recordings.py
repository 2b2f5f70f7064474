"""Recordings that were made of files: averages, normalised ones, simulated ones."""

from __future__ import annotations

from itertools import product
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv.derived.library import Library, NotComparableError
from mne_bstinv.derived.outcome import Recomputed, relative_difference
from mne_bstinv.derived.windows import windows_in_ms
from mne_bstinv.io.inside import inside
from mne_bstinv.io.kinds import Array
from mne_bstinv.io.processing import Step, listed_files, steps_of
from mne_bstinv.maps import average_files, normalize_baseline

__all__ = ["is_derived_recording", "recompute_recordings"]


def is_derived_recording(recordings: io.Recordings) -> bool:
    """Tell whether the history of recordings names a step by which they were made of others."""
    return recordings.f is not None and bool(steps_of(recordings.history))


def recompute_recordings(
    file: Path, stored: io.Recordings, library: Library, rtol: float
) -> Recomputed:
    """Compute derived recordings again from the parents that may be their own, up to ``rtol``.

    ``NotComparableError`` if the parent or a step is not known.
    """
    last = steps_of(stored.history)[-1]
    if last.kind == "average":
        return _average(file, stored, library)
    if last.kind == "simulate":
        return _simulation(file, stored, library)
    if last.kind in ("baseline", "absolute"):
        return _normalised(file, stored, last, library, rtol)
    raise NotComparableError(
        f"They were processed by what is not computed here: {' '.join(last.text.split())!r}."
    )


def _average(file: Path, stored: io.Recordings, library: Library) -> Recomputed:
    listed = listed_files(stored.history, " - ")
    if not listed:
        raise NotComparableError("The history does not list the files that were averaged.")
    files = [library.recordings(library.needed(name, file, "recordings")) for name in listed]
    samples = [one.f for one in files if one.f is not None]
    if len(samples) < len(files):
        raise NotComparableError("Continuous files were averaged.")
    flags = [np.ones(len(f)) if o.channel_flag is None else o.channel_flag
             for f, o in zip(samples, files, strict=True)]  # fmt: skip
    attempts = []
    for method, weighted in product(("mean", "rms"), (False, True)):
        made = average_files(
            samples,
            flags,
            method=method,  # type: ignore[arg-type]
            weighted=weighted,
            n_avg=[one.n_avg for one in files],
        )
        difference = relative_difference(made.values, np.asarray(stored.f))
        std = inside({"Std": stored.std}, "recordings.Std", Array("?", "?"))
        if std is not None and std.shape == made.std.shape:
            difference = max(difference, relative_difference(made.std, std))
        attempts.append((difference, weighted, method))
    difference, weighted, method = min(attempts)
    return Recomputed(
        kind="average of recordings",
        difference=difference,
        parents=tuple(listed),
        how=f"{method} of {len(listed)} files" + (", weighted" if weighted else ""),
    )


def _normalised(
    file: Path, stored: io.Recordings, step: Step, library: Library, rtol: float
) -> Recomputed:
    """Compare the rows that were normalised, and that the others were left alone."""
    values = np.asarray(stored.f)
    best: Recomputed | None = None
    for candidate in library.recordings_in(file.parent):
        if candidate == file or not _is_before(library, candidate, stored):
            continue
        parent = library.recordings(candidate)
        if parent.f is None or parent.f.shape != values.shape or parent.time is None:
            continue
        for window in _choices(step, parent):
            if step.kind == "absolute":
                changed = np.abs(parent.f)
            else:
                changed = normalize_baseline(parent.f, parent.time, window, step.options["method"])
            # rows of the sensor types that were not chosen stay
            same = (values == parent.f).all(axis=1)
            difference = relative_difference(
                np.where(same[:, np.newaxis], parent.f, changed), values
            )
            if best is None or difference < best.difference:
                shown = "" if window is None else f"window {window[0]:g} to {window[1]:g} s"
                best = Recomputed(
                    kind="normalised recordings",
                    difference=difference,
                    parents=(candidate.name,),
                    how=shown,
                )
            if best.difference <= rtol:
                return best
    if best is None:
        raise NotComparableError("The recordings that they were made of are not in the folder.")
    return best


def _choices(step: Step, parent: io.Recordings) -> list[tuple[float, float] | None]:
    if step.kind == "absolute" or parent.time is None:
        return [None]
    return list(windows_in_ms(parent.time, step.options["window_ms"]))


def _is_before(library: Library, candidate: Path, stored: io.Recordings) -> bool:
    rows = library.history(candidate)
    return stored.history[: len(rows)] == rows and len(rows) < len(stored.history)


def _simulation(file: Path, stored: io.Recordings, library: Library) -> Recomputed:
    """Compute recordings from the simulated sources that were saved with them."""
    study = library.studies.of(file)
    for candidate in library.results_beside(file):
        steps = steps_of(library.history(candidate))
        if not steps or steps[-1].kind != "simulate":
            continue
        sources = library.results(candidate)
        named = study.find(sources.data_file, "data")
        if named is None or named.resolve() != file.resolve():
            continue
        model = library.head_model(library.needed(sources.head_model_file, file, "head model"))
        values, gain = sources.amplitudes, model.gain
        if values is None or sources.good_channel is None:
            raise NotComparableError("The simulated sources hold no map or no GoodChannel.")
        if sources.n_components == 1:
            if model.grid_orient is None:
                raise NotComparableError("The head model has no normals.")
            gain = np.einsum("clk,lk->cl", gain.reshape(len(gain), -1, 3), model.grid_orient)
        if gain.shape[1] != len(values):
            raise NotComparableError("The head model does not have the locations of the sources.")
        used = sources.good_channel - 1
        made = np.zeros_like(np.asarray(stored.f))
        made[used] = gain[used] @ values
        return Recomputed(
            kind="simulated recordings",
            difference=relative_difference(made, np.asarray(stored.f)),
            parents=(candidate.name, *listed_files(stored.history, "Simulated from file: ")),
            how="gain × the saved sources",
        )
    raise NotComparableError("The simulated sources were not saved, and the scouts are not stored.")
