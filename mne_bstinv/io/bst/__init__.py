"""Brainstorm's own binary files of continuous recordings, ``.bst``: header, events, samples.

Little endian, single precision, versions 49 to 54. Reading is lazy and checks the header against
the size of the file before anything is allocated; writing is streamed.
"""

from __future__ import annotations

from mne_bstinv.io.bst.header import BstHeader, cut_name, put_header
from mne_bstinv.io.bst.link import link_to
from mne_bstinv.io.bst.reader import BstFile, open_bst
from mne_bstinv.io.bst.writer import BstWriter, default_block, write_bst

__all__ = [
    "BstFile",
    "BstHeader",
    "BstWriter",
    "cut_name",
    "default_block",
    "link_to",
    "open_bst",
    "put_header",
    "write_bst",
]
