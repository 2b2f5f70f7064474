"""Names of the files of a port: endings by kind, and stems that every file system takes."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable

__all__ = ["ENDINGS", "MAX_NAME", "MAX_STEM", "safe_name", "safe_names", "shortened"]

#: How the name of an output ends, after the stem of its unit, by what it is.
ENDINGS = {
    "info": "-info.fif",
    "trans": "-trans.fif",
    "noise covariance": "-cov.fif",
    "data covariance": "_data-cov.fif",
    "source spaces": "-src.fif",
    "forward": "-fwd.fif",
    "evoked": "-ave.fif",
    "epochs": "-epo.fif",
    "raw": "-raw.fif",
    "inverse operator": "-inv.fif",
    "spectrum": "-spectrum.h5",
    "tfr": "-tfr.h5",
    "table": "-signals.csv",
    "picture": "_sensors.svg",
}
#: Longest name of a folder, and longest stem of a file: endings and temporary names need some room
#: below the 255 bytes that file systems take.
MAX_NAME = 60
MAX_STEM = 180

#: Names that Windows keeps for devices, whatever their ending.
_DEVICES = {"con", "prn", "aux", "nul"} | {f"{p}{n}" for p in ("com", "lpt") for n in range(10)}


def safe_name(name: str, length: int = MAX_NAME) -> str:
    """Make a name of a folder or a part of a file name of any text.

    It consists of ASCII letters, digits, ``_``, ``+``, ``.`` and ``-``; it is neither empty,
    nor starts or ends with a dot, nor is the name of a device of Windows.
    """
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    safe = re.sub(r"[^A-Za-z0-9_+.-]+", "_", plain).strip("._-")
    if not safe:
        safe = f"unnamed_{_digest(name)}"
    if safe.split(".")[0].lower() in _DEVICES:
        safe = f"_{safe}"
    return shortened(safe, length)


def safe_names(names: Iterable[str], taken: Iterable[str] = ()) -> dict[str, str]:
    """Make names that stay apart, also where upper and lower case are the same.

    Where several would be the same, or one is taken, they end with digits of the text's
    SHA-256: the same in every run.
    """
    listed = list(dict.fromkeys(names))
    plain = {name: safe_name(name) for name in listed}
    uses = Counter(safe.casefold() for safe in plain.values())
    uses.update(name.casefold() for name in taken)
    return {
        name: safe if uses[safe.casefold()] == 1 else _with_digest(safe, name)
        for name, safe in plain.items()
    }


def shortened(name: str, length: int = MAX_STEM) -> str:
    """Shorten a name; digits of its SHA-256 keep it apart from others."""
    return name if len(name) <= length else _with_digest(name, name, length)


def _with_digest(safe: str, name: str, length: int = MAX_NAME) -> str:
    return f"{safe[: length - 9].rstrip('._-')}_{_digest(name)}"


def _digest(name: str) -> str:
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
