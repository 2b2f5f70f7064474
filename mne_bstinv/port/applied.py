"""Brainstorm's estimate with a ported operator, whatever MNE's defaults would make of the files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv.conversion import converts
from mne_bstinv.errors import ConversionError, MissingFileError, ProtocolError
from mne_bstinv.port.manifest import MANIFEST, read_manifest

__all__ = ["apply_ported"]

_OPERATOR = "-inv.fif"


def apply_ported(operator: Any, recordings: Any = None) -> Any:
    """Compute Brainstorm's estimate with an operator, of files of a port or of objects.

    The recordings are taken as they are stored (continuous ones as Brainstorm reads them, which
    applies projectors of Status 1), without projections or reference, for one sample whatever
    their number of averages, with the method, regularisation and factor that give
    Brainstorm's estimate. Where MNE has no method that does, the estimate that was ported is read.

    Parameters
    ----------
    operator : path-like | mne.minimum_norm.InverseOperator
        A ported ``-inv.fif``; the ported folder of a condition, for all its operators and those
        that it shares; or an operator of :func:`mne_bstinv.to_inverse_operator` or of
        ``condition.inverse_operator``.
    recordings : mne.Evoked | mne.Epochs | mne.io.Raw | path-like | None
        What to apply it to: an object; a ported ``-ave.fif`` or ``-epo.fif``; or a recordings file
        of Brainstorm as the manifest names it (``'Subject01/evoked/data_average_….mat'``, or the
        end of it). ``None`` takes the first recordings that the manifest says the operator is for.

    Returns
    -------
    mne.SourceEstimate | list of mne.SourceEstimate | dict of str to mne.SourceEstimate
        The estimate; of epochs, and of a file with several averages, one each; of a folder, by the
        name of the operator.

    Raises
    ------
    ConversionError
        If the operator was not made from Brainstorm's options; if MNE has no method for its
        estimate and it was not ported; if recordings lack a channel, or were projected or
        referenced since Brainstorm stored them.
    MissingFileError
        If a file, its manifest or the recordings are missing.
    """
    if not isinstance(operator, str | os.PathLike):
        if recordings is None or isinstance(recordings, str | os.PathLike):
            raise ConversionError(
                "recordings: an operator as an object needs recordings as an object (Evoked, "
                "Epochs or Raw). Give them, or the file of a port."
            )
        return _of_objects(operator, recordings, ())
    path = Path(operator)
    if not path.exists():
        raise MissingFileError(f"{path}: no such file or folder. Check the path.")
    if path.is_dir():
        return {file.name: _of_file(file, recordings, path) for file in _operators(path)}
    return _of_file(path, recordings, path.parent)


@converts
def _of_objects(inv: Any, inst: Any, not_applied: Any) -> Any:
    from mne_bstinv.adapters.operators import apply_operator

    return apply_operator(inv, inst, not_applied=not_applied)


@converts
def _of_file(file: Path, recordings: Any, folder: Path) -> Any:
    """Apply the operator of a file; ``folder`` is that of the condition it is applied in."""
    from mne_bstinv.adapters.files import read_mne
    from mne_bstinv.adapters.operators import NOT_COMPARABLE, inverse_parameters

    entry = _entry(file)
    inv = read_mne(file, "inverse operator")
    found = _recordings(recordings, entry, folder)
    if inverse_parameters(inv).parity == NOT_COMPARABLE:
        return _stored(inv, entry, found, file)
    pending = _projections(folder)
    if isinstance(found.value, list):
        return [_of_objects(inv, one, pending) for one in found.value]
    return _of_objects(inv, found.value, pending)


@dataclass(frozen=True, kw_only=True)
class _Found:
    """Recordings with what the manifest calls them."""

    #: The object, or a list of averages.
    value: Any
    #: The file of Brainstorm; None if it is unknown.
    name: str | None
    #: The manifest that lists it, with its folder.
    folder: Path | None


def _entry(file: Path) -> Mapping[str, Any]:
    """Return what the manifest says of a file."""
    outputs = _manifest(file.parent)["outputs"]
    if file.name not in outputs or "parameters" not in (outputs[file.name] or {}):
        raise ConversionError(
            f"{file}: {file.parent / MANIFEST} lists no such operator. Give an operator that a "
            "port wrote, in its place."
        )
    entry: Mapping[str, Any] = outputs[file.name]
    return entry


def _manifest(folder: Path) -> Mapping[str, Any]:
    manifest = read_manifest(folder)
    if manifest is None:
        raise MissingFileError(
            f"{folder / MANIFEST}: no manifest. Give a file of a port, in its place, or the "
            "operator and the recordings as objects."
        )
    return manifest


def _operators(folder: Path) -> Iterator[Path]:
    """Yield the operators of a condition: its own, then those that it shares."""
    manifest = _manifest(folder)
    if manifest.get("kind") == "protocol":
        raise ProtocolError(
            f"{folder}: the port of a whole protocol. Give the folder of one condition in it: "
            f"{', '.join(unit['folder'] for unit in manifest['units'] if unit['condition'])}."
        )
    yield from (folder / name for name in manifest["outputs"] if name.endswith(_OPERATOR))
    shared = manifest.get("shared")
    if shared:
        other = _root(folder, manifest) / shared
        names = _manifest(other)["outputs"]
        yield from (other / name for name in names if name.endswith(_OPERATOR))


def _root(folder: Path, manifest: Mapping[str, Any]) -> Path:
    """Return the output of the port that a unit is in."""
    return folder.parents[len(Path(manifest["folder"]).parts) - 1]


def _recordings(given: Any, entry: Mapping[str, Any], folder: Path) -> _Found:
    """Find the recordings to apply an operator to."""
    if given is not None and not isinstance(given, str | os.PathLike):
        return _Found(value=given, name=None, folder=folder)
    if given is not None and Path(given).suffix != ".mat":
        return _Found(value=_read_all(Path(given)), name=None, folder=Path(given).parent)
    names = entry["recordings"] or ()
    contents = {
        name: (file, position)
        for file, output in _manifest(folder)["outputs"].items()
        for position, name in enumerate((output or {}).get("contents", ()))
    }
    if given is None:
        wanted = [name for name in names if name in contents] or list(contents)
    else:
        text = Path(given).as_posix()
        wanted = [name for name in contents if f"/{name}".endswith(f"/{text}")]
    if not wanted:
        listed = ", ".join(contents) or "none"
        raise MissingFileError(
            f"{folder}: no ported recordings {'' if given is None else f'{given} '}to apply the "
            f"operator to; there are: {listed}. Give them (recordings)."
        )
    file, position = contents[wanted[0]]
    return _Found(value=_read_one(folder / file, position), name=wanted[0], folder=folder)


def _read_all(path: Path) -> Any:
    from mne_bstinv.adapters.files import read_mne

    value = read_mne(path)
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _read_one(path: Path, position: int) -> Any:
    """Read recordings of a file: an average, Epochs of one trial, or the Raw."""
    from mne_bstinv.adapters.files import kind_of, read_mne

    value = read_mne(path)
    if isinstance(value, list):
        return value[position]
    return value[[position]] if kind_of(value) == "epochs" else value


def _projections(folder: Path) -> list[Any]:
    """Return the projections of the sensors that are not applied to stored recordings."""
    from mne_bstinv.adapters.files import read_mne

    manifest = read_manifest(folder)
    if manifest is None or manifest.get("kind") == "protocol":
        return []
    shared = manifest.get("shared")
    place = _root(folder, manifest) / shared if shared else folder
    outputs = (read_manifest(place) or {}).get("outputs", {})
    infos = [place / name for name in outputs if name.endswith("-info.fif")]
    if not infos or not infos[0].is_file():
        return []
    return [proj for proj in read_mne(infos[0], "info")["projs"] if not proj["active"]]


def _stored(inv: Any, entry: Mapping[str, Any], found: _Found, file: Path) -> Any:
    """Read the estimate that was ported, where MNE has no method for it."""
    from mne_bstinv.adapters.files import read_mne
    from mne_bstinv.adapters.operators import inverse_parameters

    reason = inverse_parameters(inv).reason
    if found.name is None or found.folder is None:
        raise ConversionError(
            f"{file.name}: {reason} So an estimate is read where one was ported: say of which "
            "recordings as the manifest names them (recordings='data_average_….mat')."
        )
    for name, output in _manifest(found.folder)["outputs"].items():
        output = output or {}
        mine = output.get("results") in entry["of"]
        if mine and output.get("recordings") in (found.name, None):
            return read_mne(found.folder / name, "source estimate")
    raise ConversionError(
        f"{file.name}: {reason} Its estimate was not ported either: port again with "
        "estimates='all' (--estimates all)."
    )
