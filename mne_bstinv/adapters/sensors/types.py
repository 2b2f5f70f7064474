"""Types of channels: Brainstorm's ⇄ MNE's, one table for both directions."""

from __future__ import annotations

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv.conversion import Findings

__all__ = [
    "MEG_TYPES",
    "PLACED",
    "brainstorm_type",
    "is_electrode",
    "is_ref",
    "mne_type",
    "plain_type",
    "tell_types",
]

#: MNE's type, the type that is written in Brainstorm, and others of Brainstorm that are read as
#: it. Types are compared without regard to case, and ``_`` is a space (``EEG_NO_LOC``).
_TABLE: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    # the magnetometers of Neuromag systems alone are MEG MAG
    ("mag", "MEG", ("MEG MAG",)),
    ("grad", "MEG GRAD", ()),
    ("ref_meg", "MEG REF", ()),
    ("eeg", "EEG", ()),
    ("ecog", "ECOG", ()),
    ("seeg", "SEEG", ()),
    ("dbs", "DBS", ()),
    ("eog", "EOG", ("VEOG", "HEOG", "VEO", "HEO")),
    ("ecg", "ECG", ("EKG",)),
    ("emg", "EMG", ()),
    ("resp", "RESP", ()),
    ("bio", "BIO", ()),
    ("gsr", "GSR", ()),
    ("temperature", "TEMP", ("TEMPERATURE",)),
    ("stim", "Stim", ("STI", "TRIG", "TRIGGER", "STATUS", "EVENT")),
    ("syst", "SysClock", ()),
    # the channel itself says which of MNE's fNIRS types: see ``optodes``
    ("fnirs_cw_amplitude", "NIRS", ()),
    ("fnirs_od", "NIRS", ()),
    ("hbo", "NIRS", ()),
    ("hbr", "NIRS", ()),
    ("misc", "Misc", ()),
)

_TO_MNE = {
    " ".join(name.replace("_", " ").split()).casefold(): mne
    for mne, written, read in reversed(_TABLE)
    for name in (written, *read)
}

_TO_BRAINSTORM = {mne: written for mne, written, _ in _TABLE}

#: EEG that Brainstorm neither references nor localises. An ``eeg`` channel of MNE would take part
#: in the average reference, and in plots, interpolation and forward solutions by its position.
_NO_ELECTRODES = {
    "eeg ref": "it is not one of the electrodes that Brainstorm averages",
    "eeg bad loc": "Brainstorm knows no position that could be used",
    "eeg no loc": "Brainstorm knows no position",
}

#: MNE's types with a position that is no coil: what plots place on the head.
PLACED = ("eeg", "seeg", "ecog", "dbs")

_NEUROMAG_MAGNETOMETERS = (3022, 3023, 3024, 3025)

#: Rows of the compensation matrix.
MEG_TYPES = ("meg", "meg mag", "meg grad")


def plain_type(name: str) -> str:
    """Return Brainstorm's type without what does not tell types apart: case, ``_``, spaces."""
    return " ".join(name.replace("_", " ").split()).casefold()


def mne_type(name: str) -> str:
    """Return MNE's type of one of Brainstorm's; ``'misc'`` for all that MNE does not know."""
    return _TO_MNE.get(plain_type(name), "misc")


def brainstorm_type(kind: str, coil_type: int, findings: Findings) -> str:
    """Return Brainstorm's type of one of MNE's, ``'Misc'`` for all that it does not know."""
    if kind == "mag" and int(coil_type) in _NEUROMAG_MAGNETOMETERS:
        return "MEG MAG"
    if kind not in _TO_BRAINSTORM:
        findings.dropped("info['chs']", f"{kind} channels are of type Misc")
    return _TO_BRAINSTORM.get(kind, "Misc")


def is_ref(channel: io.Channel) -> bool:
    """Whether a channel is a reference of a CTF-like system."""
    return plain_type(channel.type) == "meg ref"


def is_electrode(channel: io.Channel) -> bool:
    """Whether the position of a channel is one of an electrode on or in the head."""
    return mne_type(channel.type) in PLACED or plain_type(channel.type) == "eeg ref"


def tell_types(channels: io.Channels, findings: Findings) -> None:
    """Report the types that are not the same in MNE, one finding a type."""
    groups: dict[str, list[str]] = {}
    for channel in channels.channels:
        groups.setdefault(channel.type, []).append(channel.name)
    for name, members in groups.items():
        plain = plain_type(name)
        if plain in _NO_ELECTRODES:
            findings.dropped(
                "Channel.Type",
                f"{name}: {_NO_ELECTRODES[plain]}: misc in MNE, whose eeg channels are all "
                f"averaged and placed: {few(members)}",
            )
        elif plain not in _TO_MNE:
            findings.dropped("Channel.Type", f"MNE has no type {name!r}: misc: {few(members)}")
