"""Which row of a continuous file each channel of the channel file is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mne_bstinv import io
from mne_bstinv._display import few
from mne_bstinv._types import IntArray
from mne_bstinv.adapters.channel_names import is_available, match_channel_names, mne_names
from mne_bstinv.conversion import Findings
from mne_bstinv.errors import ConversionError
from mne_bstinv.io.bst import cut_name

__all__ = ["rows_in_file"]


def rows_in_file(
    channels: io.Channels, names: Sequence[str], path: Path, findings: Findings
) -> tuple[list[int], IntArray]:
    """Return which channels are kept, and which row of the file each is."""
    everything = list(range(len(channels)))
    for spell in (_as_they_are, _cut, mne_names):
        try:
            rows = match_channel_names(list(spell(channels)), names)
        except ConversionError:
            continue
        used = set(rows.tolist())
        lost = [name for i, name in enumerate(names) if i not in used]
        if lost:
            findings.dropped("channels", f"not in the channel file: {', '.join(lost)}")
        return everything, rows
    if len(channels) == len(names):
        findings.assumed(
            "channels",
            f"the names of {path.name} ({', '.join(names[:3])} …) are not those of the channel "
            f"file ({', '.join(channels.names[:3])} …): matched by their order",
        )
        return everything, np.arange(len(names))
    kept = [i for i, name in enumerate(channels.names) if is_available(name, names)]
    absent = [channels.channels[i] for i in np.setdiff1d(everything, kept).tolist()]
    if kept and all(_is_auxiliary(channel.type) for channel in absent):
        listed = ", ".join(channel.name for channel in absent)
        findings.dropped("channels", f"not in {path.name}: {listed}")
        return kept, match_channel_names([channels.names[i] for i in kept], names)
    raise ConversionError(
        f"{path}: its channels are not those of the channel file. In the file ({len(names)}): "
        f"{few(names)}. In the channel file ({len(channels)}): "
        f"{few(channels.names)}. Give the channel file of this recording."
    )


def _as_they_are(channels: io.Channels) -> Sequence[str]:
    return channels.names


def _cut(channels: io.Channels) -> Sequence[str]:
    return [cut_name(name) for name in channels.names]


def _is_auxiliary(kind: str) -> bool:
    """Tell whether channels of a type are no signals of the brain."""
    return not kind.strip().upper().startswith(("MEG", "EEG", "SEEG", "ECOG", "NIRS"))
