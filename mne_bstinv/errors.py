"""The errors of the package: one small tree, each also a builtin.

Catch :class:`BstInvError` for everything this package raises on purpose, or the builtin
(``ValueError``, ``OSError`` ...) when that reads better in your code.
"""

from __future__ import annotations

from collections.abc import Sequence

__all__ = [
    "ArgumentError",
    "BstInvError",
    "ComparisonError",
    "ConversionError",
    "DownloadError",
    "FrameError",
    "InverseError",
    "MapError",
    "MatFileError",
    "MissingFileError",
    "OptionError",
    "OverwriteError",
    "ProtocolError",
    "RecordingFileError",
    "SchemaError",
    "UnknownNameError",
    "UnsupportedInverseError",
    "WriteError",
]


class BstInvError(Exception):
    """Base class of all errors of the package."""


class MatFileError(BstInvError, OSError):
    """A file is not a MATLAB file, is truncated, or cannot be written."""


class RecordingFileError(BstInvError, OSError):
    """A file of continuous recordings is damaged, changed, of another format, or cannot be used."""


class WriteError(BstInvError, OSError):
    """A file or folder cannot be written: the disk is full, or may not be written to."""


class MissingFileError(BstInvError, FileNotFoundError):
    """A file that is needed does not exist."""


class OverwriteError(BstInvError, FileExistsError):
    """A file exists already and ``overwrite=True`` was not given."""

    @classmethod
    def of(cls, *places: object) -> OverwriteError:
        """Return the error for files that exist, in the words of Python and of the command line.

        Parameters
        ----------
        *places : object
            The files, shown as text; of many the first three.

        Returns
        -------
        OverwriteError
            The error to raise.
        """
        shown = ", ".join(map(str, places[:3])) + (" …" if len(places) > 3 else "")
        exist, them = ("exists", "it") if len(places) == 1 else ("exist", "them")
        return cls(f"{shown}: {exist} already; use overwrite=True (--overwrite) to replace {them}.")


class SchemaError(BstInvError, ValueError):
    """The content of a file is not what its kind of file declares.

    Parameters
    ----------
    place : str
        The file (or object) the faults are in.
    faults : sequence of str
        One sentence a fault: the field, the value found, the value expected.

    Attributes
    ----------
    place : str
        The file (or object) the faults are in.
    faults : tuple of str
        All faults, not only the first.
    """

    def __init__(self, place: str, faults: Sequence[str]) -> None:
        self.place = place
        self.faults = tuple(faults)
        super().__init__("\n  - ".join([f"{place}:", *self.faults]))


class ProtocolError(BstInvError, ValueError):
    """A folder is not a Brainstorm protocol, or its files contradict each other."""


class UnknownNameError(BstInvError, KeyError):
    """Nothing has the name that was asked for; the message lists the names that there are."""

    def __str__(self) -> str:
        return Exception.__str__(self)  # KeyError would show the text in quotes


class FrameError(BstInvError, ValueError):
    """A coordinate frame cannot be derived from what the files hold."""


class ConversionError(BstInvError, ValueError):
    """Objects cannot be converted, or do not belong together."""


class ComparisonError(BstInvError, ValueError):
    """Two kernels, or recordings and kernels, do not match and cannot be compared."""


class DownloadError(BstInvError, OSError):
    """A file of a data set cannot be downloaded, or is not the one that is expected."""


class OptionError(BstInvError, ValueError):
    """An option is unknown or out of range."""


class ArgumentError(ConversionError, OptionError, TypeError):
    """An argument of a conversion is of another kind than is declared: exchanged, or not read."""


class InverseError(BstInvError, ValueError):
    """The inverse cannot be computed from the given arrays."""


class MapError(BstInvError, ValueError):
    """A map, or what is made from maps, cannot be computed from the given arrays."""


class UnsupportedInverseError(InverseError, NotImplementedError):
    """Brainstorm itself refuses this inverse, or ends in an error: nothing can be reproduced."""
