"""A whole Brainstorm protocol as files of MNE-Python.

The work is cut into units: the anatomy of a subject, the files that conditions share, and each
condition. A unit is one folder with a manifest; it is converted in a folder of its own and then
moved to its place, so that an interruption leaves it as it was.
"""

from mne_bstinv.port.applied import apply_ported
from mne_bstinv.port.runner import port_protocol
from mne_bstinv.port.summary import PortReport

__all__ = ["PortReport", "apply_ported", "port_protocol"]
