"""The report: cross-validations as figures, tables and one self-contained page.

:func:`figures_of` gives the figures alone, :func:`reproduction_code` the Python that computes the
numbers anew, :func:`~mne_bstinv.write_report` the page with both.
"""

from mne_bstinv.report.figures import figures_of
from mne_bstinv.report.html import write_report
from mne_bstinv.report.reproduce import reproduction_code

__all__ = ["figures_of", "reproduction_code", "write_report"]
