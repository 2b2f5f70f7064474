"""What conversions keep in their reports for the way back: each key with its type, once.

The keys are those of :attr:`mne_bstinv.conversion.ConversionReport.kept`; which of them there are
depends on the conversion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypedDict, Unpack, cast

from mne_bstinv import io
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.conversion import ConversionReport, Findings, conversion_report

if TYPE_CHECKING:  # the rooms import this module
    from mne_bstinv.adapters.anatomy.labels_to_mne import Origin
    from mne_bstinv.adapters.operators.parameters import InverseParameters
    from mne_bstinv.adapters.operators.rows import RowLayout
    from mne_bstinv.adapters.recordings.events import Clock, Noted
    from mne_bstinv.adapters.sensors.coils import Coil
    from mne_bstinv.adapters.sensors.projectors import KeptProjection
    from mne_bstinv.adapters.sources.spaces_from_mne import SourceGrid
    from mne_bstinv.inverse.options import AnyOptions
    from mne_bstinv.inverse.origin import Origin as ResultsOrigin

__all__ = ["WayBack", "declared", "keep", "kept_of", "of_sensors"]


class WayBack(TypedDict, total=False):
    """What is kept for the way back: the keys and their types."""

    # Sensors
    #: The channel file, as it was given or made.
    channels: io.Channels
    #: Names of the channels of the channel file.
    channel_names: tuple[str, ...]
    #: SCS → head, shape (4, 4).
    scs_to_head: FloatArray
    #: Device → head, shape (4, 4).
    device_to_head: FloatArray
    #: MRI → head, as MNE holds it.
    mri_head_t: Any
    #: Integration points in the frame of each coil, by name.
    coils: Mapping[str, Coil]
    #: References whose field MNE computes with the other sign than Brainstorm.
    opposite: tuple[str, ...]
    #: Which projector each projection was made of.
    projections: tuple[KeptProjection, ...]
    #: Digitised points as they were made.
    dig: list[Any] | None
    #: A copy of the Info that a channel file was made of.
    info: Any

    # Recordings
    #: The ``meas_date`` that they were given.
    moment: Any
    #: Recordings without their samples, of Epochs one a trial.
    recordings: io.Recordings | tuple[io.Recordings, ...]
    #: The recordings that link to a continuous file; None without a link.
    link: io.Recordings | None
    #: The continuous file.
    original: str
    #: The samples of the continuous recording in time.
    clock: Clock
    #: The events of the continuous recording.
    events: tuple[io.Event, ...]
    #: What the annotations said that were made of events.
    annotations: Noted | None
    #: Names of the channels that are bad in all trials.
    bads: tuple[str, ...]
    #: Tells whether the samples are still those that Std belongs to.
    checksum: int
    #: The noise or data covariance.
    noise_cov: io.NoiseCov

    # Sources
    #: The head model.
    head_model: io.HeadModel
    #: 0-based row of the gain of each channel of a forward solution, shape (n_kept,).
    rows: IntArray
    #: 0-based location of each source, shape (n_used,).
    order: IntArray
    #: MNE's source spaces.
    src: Any
    #: The cortex that the locations follow.
    surface: io.Surface | None
    #: Locations, regions and cortex of results.
    grid: SourceGrid

    # Operators
    #: The options that the operator was made from.
    options: AnyOptions
    #: The file that an operator was read from.
    operator_file: str
    #: What to give to ``apply_inverse``.
    parameters: InverseParameters
    #: The noise method that was used.
    noise_method: str
    #: 0-based channels of the operator, shape (n_good,).
    good_channels: IntArray
    #: Relative distance from the stored kernel; None if it was not compared.
    kernel_difference: float | None
    #: The results that an estimate was made of.
    results: io.Results
    #: What made these results.
    origin: ResultsOrigin
    #: The rows of these results.
    layout: RowLayout
    #: What the values of these results were multiplied by.
    scale: float
    #: Times of the estimate, s, shape (n_times,).
    time: FloatArray | None

    # What is made of recordings and sources
    #: Unit of normalised values: ``'z'``, ``'%'`` …; empty where it is that of the inverse.
    unit: str
    #: The dipoles, and the number of the group that was converted.
    dipoles: io.Dipoles
    group: int
    #: The time–frequency map or spectrum.
    timefreq: io.TimeFreq
    #: Name of the band or frequency of an estimate.
    band: str
    #: The maps of a test.
    statistics: io.Statistics
    #: The signals.
    matrix: io.Matrix

    # Anatomy
    #: The atlas that labels were made of.
    atlas: io.Atlas
    #: Which scout each label was made of.
    origins: tuple[Origin, ...]


def kept_of(converted: object) -> WayBack:
    """Return what the report of an object, or a report, keeps; empty for any other object."""
    report = converted if isinstance(converted, ConversionReport) else conversion_report(converted)
    return cast(WayBack, report.kept)


def of_sensors(kept: WayBack) -> WayBack:
    """Return what is kept of the sensors, for what was made of a Raw."""
    names = ("channels", "opposite", "coils", "scs_to_head", "projections", "device_to_head", "dig")
    return cast(WayBack, {name: value for name, value in kept.items() if name in names})


def declared(**kept: Unpack[WayBack]) -> WayBack:
    """Return things to keep in a report that is made already."""
    return kept


def keep(findings: Findings, **kept: Unpack[WayBack]) -> None:
    """Keep things in the report that is being made."""
    for name, value in kept.items():
        findings.keep(name, value)
