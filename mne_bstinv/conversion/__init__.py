"""What a conversion dropped, assumed or derived: the loss report.

Every conversion attaches a :class:`ConversionReport` to the object it returns;
:func:`conversion_report` gives it back. Findings are logged once, when the conversion ends, and are
heard by every call above that is marked with :func:`converts`: its own report holds them too.
"""

from mne_bstinv.conversion.findings import Findings, attach_with_parts
from mne_bstinv.conversion.hearing import (
    converts,
    hearing,
    is_conversion,
    say_instead,
    tell_again,
)
from mne_bstinv.conversion.report import ConversionReport, Finding, carry, conversion_report

__all__ = [
    "ConversionReport",
    "Finding",
    "Findings",
    "attach_with_parts",
    "carry",
    "conversion_report",
    "converts",
    "hearing",
    "is_conversion",
    "say_instead",
    "tell_again",
]
