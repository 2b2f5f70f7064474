"""The embedded sample: a small synthetic study whose kernels Brainstorm computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from mne_bstinv import io

__all__ = ["SampleStudy", "load_sample", "sample_study"]


@dataclass(frozen=True, kw_only=True, eq=False)
class SampleStudy:
    """The structures of the sample study.

    Parameters
    ----------
    path : Path
        Folder of the protocol.
    protocol : Protocol
        Which file belongs to which.
    head_model : HeadModel
        Gain of 64 EEG channels, 46 planar gradiometers and 23 magnetometers, 296 locations.
    noise_cov : NoiseCov
        Noise covariance of all channels.
    channels : Channels
        Channel file with a projector that is applied on the fly.
    recordings : Recordings
        An evoked response of 80 averages: two focal sources, one in each hemisphere.
    cortex : Surface
        Cortex of both hemispheres, vertices in mixed order.
    results : dict of str to Results
        The kernels that Brainstorm computed, by their comment.
    """

    path: Path
    protocol: io.Protocol
    head_model: io.HeadModel
    noise_cov: io.NoiseCov
    channels: io.Channels
    recordings: io.Recordings
    cortex: io.Surface
    results: dict[str, io.Results]

    def __repr__(self) -> str:
        return (
            f"<SampleStudy | {len(self.channels)} channels, {self.head_model.n_sources} locations, "
            f"{len(self.results)} kernels>"
        )


def sample_study() -> Path:
    """Return the folder of the sample study, a Brainstorm protocol that ships with the package.

    Synthetic sensors, cortex, MRI and recordings, BSD-3-Clause like the package; the head model,
    the noise covariance and four imaging kernels were computed on them by Brainstorm.

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
        Head model, covariance, channels, recordings, cortex and stored kernels.
    """
    path = sample_study()
    protocol = io.read_protocol(path)
    subject = protocol.subject("Subject01")
    condition = protocol.condition("Subject01", "evoked")
    files = (
        condition.head_model_file,
        condition.noise_cov_file,
        condition.channel_file,
        subject.cortex,
    )
    head_model, noise_cov, channels, cortex = (_present(file) for file in files)
    stored = [io.read_results(entry.file) for entry in condition.results]
    return SampleStudy(
        path=path,
        protocol=protocol,
        head_model=io.read_head_model(head_model),
        noise_cov=io.read_noise_cov(noise_cov),
        channels=io.read_channels(channels),
        recordings=io.read_recordings(condition.recordings[0].file),
        cortex=io.read_surface(cortex),
        results={result.comment: result for result in stored},
    )


def _present(file: Path | None) -> Path:
    if file is None:  # pragma: no cover
        raise FileNotFoundError("The embedded sample study is incomplete: reinstall the package.")
    return file
