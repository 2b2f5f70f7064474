"""A study of MNE-Python as a condition of a Brainstorm protocol.

The data flows one way::

    files or objects of MNE → structures → results → which file is which → written, or nothing
        (inputs)   (structures, anatomy) (estimates, kernels) (plan, names, target, index) (folders)
"""

from mne_bstinv.export.continuous import export_raw
from mne_bstinv.export.inputs import Estimation
from mne_bstinv.export.study import ExportedStudy, export_study

__all__ = ["Estimation", "ExportedStudy", "export_raw", "export_study"]
