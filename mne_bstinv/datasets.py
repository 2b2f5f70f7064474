"""Data sets: the embedded synthetic sample, and the real subject of MNE-Python's own tests."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mne_bstinv import io
from mne_bstinv._display import Displayed
from mne_bstinv.errors import DownloadError
from mne_bstinv.io.mat import PathLike
from mne_bstinv.studies import StudyData, load_study

__all__ = [
    "SampleStudy",
    "SimulatedSource",
    "fetch_mne_sample",
    "load_mne_sample",
    "load_sample",
    "sample_study",
    "simulated_sources",
]

#: Folder for downloads, instead of the cache of the operating system.
_FOLDER_VARIABLE = "MNE_BSTINV_DATA"
#: MNE-Python's test data (BSD-3-Clause) at one commit: they never change.
_MNE_SAMPLE_URL = (
    "https://raw.githubusercontent.com/mne-tools/mne-python/"
    "8aa8dec45a522363be02cba78d0856442b208067/mne/io/tests/data/"
)
#: How long (s) a server may say nothing.
_TIMEOUT = 30
#: The files with their SHA-256.
_MNE_SAMPLE = {
    "sample-audvis-raw-trans.txt": (
        "4b9820d4545406040876df1ad8f05ff5751bbb1c2d6545044683fd48dd0a8416"
    ),
    "small-src.fif.gz": "288e030893aed1b156485e1a974e88b8488c65971ab142e99c023fb7d5970db5",
    "test-ave.fif.gz": "b2401bd644324f887f718ef1a4feb08367b3211a43c347651b9d2d6fd91e7701",
    "test-cov.fif": "5d667f9087102ac72f79972d1b176b211a86e80f291cbec182a3cad3a0af651e",
    "test-proj.fif": "7312e9d4b642d2cac199501c96854f059f3ffdae63935c21275d9826f5e0c5bb",
    "test_ctf_comp_raw.fif": "dd6ef2b90a87e3ead02c400397956b72fcde35f685aca17570def3abbeeaaa76",
}


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class SampleStudy(StudyData):
    """The structures of the sample study: a :class:`~mne_bstinv.StudyData` without gaps."""

    #: Folder of the protocol.
    path: Path
    #: Which file belongs to which.
    protocol: io.Protocol
    #: Gain of 64 EEG channels, 46 planar gradiometers and 23 magnetometers, 1140 locations.
    head_model: io.HeadModel
    #: Noise covariance of all channels.
    noise_cov: io.NoiseCov
    #: Channel file with a projector that is applied on the fly.
    channels: io.Channels
    #: An evoked response of 80 trials: two focal sources, one in each hemisphere.
    recordings: io.Recordings
    #: Cortex of both hemispheres, vertices in mixed order.
    cortex: io.Surface
    #: The subject's MRI.
    mri: io.Mri
    #: The kernels that Brainstorm computed, by their comment.
    results: dict[str, io.Results]

    def __repr__(self) -> str:
        return (
            f"<SampleStudy | {len(self.channels)} channels, {self.head_model.n_sources} locations, "
            f"{len(self.results)} kernels>"
        )


def sample_study() -> Path:
    """Return the folder of the sample study, a Brainstorm protocol that ships with the package.

    Sensors, anatomy and recordings are made of formulas and random numbers, BSD-3-Clause like the
    package: a folded cortex with atlases and registration spheres, skulls, head, an MRI with a
    transform to MNI space, an evoked response of 80 trials and a continuous recording. Brainstorm
    computed the head model, the noise covariance, the projectors and four imaging kernels on them.

    Returns
    -------
    Path
        The folder with ``anat`` and ``data``.
    """
    return Path(__file__).parent / "data" / "sample_study"


def load_sample() -> SampleStudy:
    """Read the structures of the sample study.

    Returns
    -------
    SampleStudy
        Head model, covariance, channels, recordings, cortex, MRI and stored kernels.
    """
    return read_sample(sample_study())


@dataclass(frozen=True, kw_only=True)
class SimulatedSource(Displayed):
    """A focal source that the sample study was simulated with."""

    #: Number of the vertex of its centre, from 0.
    vertex: int
    #: When it is strongest (s).
    latency: float
    #: The parcel of the atlas ``Places`` that it is in.
    region: str
    #: Numbers of the vertices of the whole patch, its centre first, from 0.
    patch: tuple[int, ...]
    #: Largest amplitude of each vertex of the patch (A·m).
    amplitudes: tuple[float, ...]


def simulated_sources() -> tuple[SimulatedSource, ...]:
    """Return the sources that the evoked response of the sample study was simulated with.

    What the kernels find can be compared with them. The simulation used the head model that the
    kernels invert, and each source is a patch: 25 nA·m at its centre, 8 nA·m at three neighbours.

    Returns
    -------
    tuple of SimulatedSource
        One in each hemisphere, in the order of their latencies.
    """
    facts = json.loads((sample_study() / "manifest.json").read_text("utf-8"))["facts"]
    centre, neighbour = (facts[f"simulated_amplitude_{name}"] for name in ("seed", "neighbours"))
    names = ("simulated_latencies", "simulated_regions", "simulated_patches")
    return tuple(
        SimulatedSource(
            vertex=patch[0] - 1,
            latency=latency,
            region=region,
            patch=tuple(vertex - 1 for vertex in patch),
            amplitudes=(centre, *(len(patch) - 1) * (neighbour,)),
        )
        for latency, region, patch in zip(*(facts[name] for name in names), strict=True)
    )


def read_sample(path: Path) -> SampleStudy:
    """Read a protocol with one whole study: all structures of a sample, none missing."""
    study = load_study(path)
    loaded: dict[str, Any] = {f.name: getattr(study, f.name) for f in dataclasses.fields(study)}
    loaded["results"] = dict(study.results)
    for role in ("recordings", "cortex", "mri"):
        if loaded[role] is None:  # pragma: no cover
            raise FileNotFoundError(
                "The embedded sample study is incomplete: reinstall the package."
            )
    return SampleStudy(path=path, protocol=io.read_protocol(path), **loaded)


def fetch_mne_sample(
    path: PathLike | None = None,
    *,
    base_url: str = _MNE_SAMPLE_URL,
    progressbar: bool = True,
) -> Path:
    """Download the files of a real subject, MNE-Python's ``sample``, unless they are there.

    Six small files (3.4 MB) of MNE-Python's own tests, BSD-3-Clause: evoked responses, noise
    covariance, source spaces, transform and projectors of the ``sample`` subject (306 MEG and 60
    EEG channels), and a short CTF recording.

    Parameters
    ----------
    path : path-like | None
        Folder for the files. ``None`` takes ``mne_sample`` in the folder that the environment
        variable ``MNE_BSTINV_DATA`` names, else in the cache of the operating system
        (``pooch.os_cache("mne_bstinv")``).
    base_url : str
        Address of the folder to download from, for a mirror.
    progressbar : bool
        Show the progress of each download.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    DownloadError
        If a file cannot be downloaded or written, or is not the one expected: every file is
        compared with a known SHA-256, the ones that are there already, too. No incomplete file
        stays, and no file is replaced.
    """
    folder = download_folder("mne_sample") if path is None else Path(path).expanduser()
    for name, sha256 in _MNE_SAMPLE.items():
        url = f"{base_url.rstrip('/')}/{name}"
        try:
            _fetch(folder / name, url, sha256, progressbar)
        except DownloadError:
            raise
        except OSError as error:  # the errors of requests are OSErrors, too
            raise DownloadError(
                f"{name}: not downloaded from {url} to {folder}: {error}. Check the connection, "
                "the proxy and the rights of the folder; or put the file there by hand (SHA-256 "
                f"expected: {sha256})."
            ) from error
    return folder


def load_mne_sample(
    folder: PathLike | None = None, *, condition: int | str = 0, progressbar: bool = True
) -> StudyData:
    """Make a Brainstorm study of a real subject, MNE-Python's ``sample``.

    Parameters
    ----------
    folder : path-like | None
        Folder with the files; ``None`` downloads them where needed
        (:func:`fetch_mne_sample`).
    condition : int | str
        Which evoked response, by number or comment: ``'Left Auditory'``, ``'Right Auditory'``,
        ``'Left visual'``, ``'Right visual'``.
    progressbar : bool
        Show the progress of downloads.

    Returns
    -------
    StudyData
        376 channels, 516 locations on the cortex, gain of a sphere model computed by MNE; without
        MRI and results. Its ``reports`` say what was chosen, assumed and lost.

    Raises
    ------
    DownloadError
        As :func:`fetch_mne_sample`.
    MissingFileError
        If a file is not in ``folder``.
    """
    from mne_bstinv.adapters.sample_subject import mne_sample_objects
    from mne_bstinv.adapters.study import study_from_mne

    found = fetch_mne_sample(progressbar=progressbar) if folder is None else Path(folder)
    return study_from_mne(*mne_sample_objects(found, condition, verbose="error"), verbose="error")


def download_folder(name: str) -> Path:
    import pooch

    chosen = os.environ.get(_FOLDER_VARIABLE)
    return (Path(chosen).expanduser() if chosen else Path(pooch.os_cache("mne_bstinv"))) / name


def _fetch(file: Path, url: str, sha256: str, progressbar: bool) -> None:
    """Download a file unless it is there; in both cases it is the expected one, or an error."""
    import pooch

    def download(address: str, output_file: str, caller: Any) -> None:
        pooch.HTTPDownloader(progressbar=progressbar, timeout=_TIMEOUT)(
            address, output_file, caller
        )
        found = pooch.file_hash(output_file)
        if found != sha256:  # pooch would say so too, but neither from where nor what to do
            raise DownloadError(
                f"{file.name}: {url} gave another file: SHA-256 {found} found, {sha256} expected. "
                "Nothing was kept. Try again later (a proxy may have answered in its place), or "
                f"put the right file into {file.parent} by hand."
            )

    if file.exists():
        found = pooch.file_hash(str(file))
        if found != sha256:
            raise DownloadError(
                f"{file}: another file than that of {url}: SHA-256 {found} found, {sha256} "
                "expected. It is not replaced: remove it, or give another folder."
            )
        return
    # pooch writes to a temporary file and renames it once the hash is right
    pooch.retrieve(
        url,
        known_hash=f"sha256:{sha256}",
        fname=file.name,
        path=file.parent,
        downloader=download,
    )
