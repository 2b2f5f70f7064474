"""The link that Brainstorm makes to a ``.bst`` file."""

from __future__ import annotations

from typing import Any

import numpy as np

from mne_bstinv.io.bst.header import BstHeader
from mne_bstinv.io.link import Link, LinkProperties
from mne_bstinv.io.raw import FrozenMap
from mne_bstinv.io.sampling import sample_times
from mne_bstinv.io.stored_paths import normalise

__all__ = ["link_to"]

#: CTF compensation that Brainstorm brings about when it reads a ``.bst`` file.
_DESTINATION = 3


def link_to(header: BstHeader, filename: str, offset: int) -> Link:
    """Return the struct F of ``data_0raw_*.mat`` that links to a ``.bst`` file.

    The header is as read from the file (rates and times of single precision), ``filename`` a path,
    or a name if the file is beside the link, ``offset`` the bytes of the header.
    """
    first = header.first_sample
    return Link(
        filename=filename,
        format="BST-BIN",
        comment=normalise(filename).stem,
        byteorder="l",
        prop=LinkProperties(
            times=sample_times(first, header.n_samples, header.sfreq)[[0, -1]],
            sfreq=header.sfreq,
            n_avg=header.n_avg,
            curr_ctf_comp=header.ctf_comp,
            dest_ctf_comp=_DESTINATION,
        ),
        events=header.events,
        header=_fields(header, offset),
        channel_flag=header.channel_flag,
        t0=header.t0 or None,
    )


def _fields(header: BstHeader, offset: int) -> FrozenMap:
    """Return the fields by the names of Brainstorm."""
    fields: dict[str, Any] = {
        "version": float(header.version),
        "device": header.device,
        "sfreq": header.sfreq,
        "starttime": header.start,
        "t0": header.t0 or np.zeros((0, 0)),
        "navg": float(header.n_avg),
        "ctfcomp": float(header.ctf_comp),
        "nsamples": float(header.n_samples),
        "epochsize": float(header.block),
        "nchannels": float(len(header.channels)),
        "hdrsize": float(offset),
    }
    return FrozenMap(fields)
