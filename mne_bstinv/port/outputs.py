"""What the conversion of a unit writes and says."""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from mne_bstinv.conversion import Finding, conversion_report
from mne_bstinv.errors import BstInvError
from mne_bstinv.port.manifest import hash_file, sync
from mne_bstinv.port.names import shortened

__all__ = ["FULL", "UNIT", "Outputs", "described"]

#: Where the findings are that are of no single output.
UNIT = "."

#: Errors of the system in writing alone: a full disk, or one that is not to be written to.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS}

#: Those that concern everything that is to be written, not one item.
_FATAL = {*FULL, errno.EIO, errno.EACCES}


class Outputs:
    """Collects files, reports and errors while a unit is converted.

    The names of the files in the staging folder begin with ``stem``; inputs are named relative
    to the protocol, ``root``.
    """

    def __init__(self, folder: Path, stem: str, root: Path) -> None:
        self.folder, self.stem, self.root = folder, stem, root
        self.files: dict[str, dict[str, Any]] = {}
        self.reports: dict[str, list[dict[str, str]]] = {}
        self.skipped: list[dict[str, str]] = []
        self.errors: list[dict[str, str]] = []
        self._given: set[str] = set()
        self._thread = ThreadPoolExecutor(1, "mne_bstinv_hash")
        self._hashes: dict[str, Future[str]] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._thread.shutdown(cancel_futures=kind is not None)
        if kind is None:
            for name, future in self._hashes.items():
                self.files[name]["sha256"] = future.result()

    def write(
        self, name: str, value: Any, kind: str, of: Iterable[Path], **facts: Any
    ) -> tuple[str, ...]:
        """Write an object of MNE made of some files, with facts for the manifest; return the names.

        Its own name follows the stem: a part that starts with ``_``, if any, and MNE's
        ending. The facts say what tells it from others, ``comment`` before all.
        """
        from mne_bstinv.adapters.files import converted, write_new

        stem, ending = name[: name.rfind("-")], name[name.rfind("-") :]
        path = self._free(f"{self.stem}{stem}", ending, of := tuple(of))
        facts = {"what": kind, **facts}
        with converted(value):
            files = write_new(path, value, kind)
        names = tuple(self.add(file, of, **facts) for file in files)
        values = value if type(value) is list else [value]  # SourceSpaces is a list too
        self.report(names[0], *map(conversion_report, values))
        return names

    def _free(self, stem: str, ending: str, of: Iterable[Path]) -> Path:
        """Return the path of a name; of one that is given already, with digits of its sources."""
        name = f"{shortened(stem)}{ending}"
        if name.casefold() in self._given:
            names = "\n".join(sorted(map(self.relative, of)))
            digest = hashlib.sha256(names.encode("utf-8", "backslashreplace")).hexdigest()
            name = f"{shortened(f'{stem}_{digest[:8]}')}{ending}"
        self._given.add(name.casefold())
        return self.folder / name

    def write_text(self, name: str, text: str, of: Iterable[Path]) -> None:
        """Write a text file, whose name follows the stem, made of some files."""
        path = self.folder / f"{shortened(self.stem)}{name}"
        path.write_bytes(text.encode("utf-8", "backslashreplace"))
        self.add(path, of)

    def add(self, file: Path, of: Iterable[Path], **facts: Any) -> str:
        """Note a file in the staging folder that was written; return its name there."""
        name = file.relative_to(self.folder).as_posix()
        self._hashes[name] = self._thread.submit(_stored, file)
        self.files[name] = {
            "sha256": None,
            "bytes": file.stat().st_size,
            "of": sorted({self.relative(source) for source in of}),
            **facts,
        }
        return name

    def report(self, name: str, *reports: Iterable[Finding]) -> None:
        """Note what conversions of an output found; ``UNIT`` is for what is of none alone."""
        findings = dict.fromkeys(finding for report in reports for finding in report)
        if findings:
            self.reports.setdefault(name, []).extend(dict(vars(f)) for f in findings)

    def report_rest(self, findings: Iterable[Finding]) -> None:
        """Note the findings that are of no single output, under the folder itself."""
        told = [finding for listed in self.reports.values() for finding in listed]
        self.report(UNIT, [f for f in findings if vars(f) not in told])

    def skip(self, file: Path, what: str, reason: str) -> None:
        """Note what is not made of an input, and why, in one sentence, that is no error."""
        self.skipped.append({"file": self.relative(file), "what": what, "reason": reason})

    @contextmanager
    def item(self, file: Path | None, what: str) -> Iterator[None]:
        """Note an error of one item, so that it does not stop the others."""
        try:
            yield
        except OSError as error:
            if error.errno in _FATAL:
                raise
            self._error(file, what, error)
        except Exception as error:  # one bad file must not end the others
            self._error(file, what, error)

    def relative(self, file: Path) -> str:
        """Name an input by its path relative to the protocol, with ``/``."""
        return file.relative_to(self.root).as_posix()

    def _error(self, file: Path | None, what: str, error: Exception) -> None:
        name = "" if file is None else self.relative(file)
        self.errors.append({"file": name, "what": what, "reason": described(error)})


def _stored(file: Path) -> str:
    """Bring a file to the disk, and return its hash."""
    sync([file])
    return hash_file(file)


def described(error: BaseException) -> str:
    """Describe an error in one line, with its class unless it is one of this package."""
    text = " ".join(str(error).split())
    return text if isinstance(error, BstInvError) else f"{type(error).__name__}: {text}"
