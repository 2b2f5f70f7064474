"""What the conversion of a unit writes and says."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

from mne_bstinv.conversion import Finding, conversion_report
from mne_bstinv.errors import BstInvError
from mne_bstinv.port.manifest import hash_file, sync
from mne_bstinv.port.names import shortened

__all__ = ["UNIT", "Outputs"]

#: Where the findings are that are of no single output.
UNIT = "."

#: Errors of the system that concern everything that is to be written, not one item.
_FATAL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS, errno.EACCES}


class Outputs:
    """Collects files, reports and errors while a unit is converted.

    A thread brings each file to the disk and hashes it while the next is made. Used as a context:
    at its end that is done of all, or what went wrong with one is raised.

    Parameters
    ----------
    folder : Path
        The staging folder of the files.
    stem : str
        What their names begin with.
    root : Path
        The protocol, which inputs are named relative to.
    """

    def __init__(self, folder: Path, stem: str, root: Path) -> None:
        self.folder, self.stem, self.root = folder, stem, root
        self.files: dict[str, dict[str, Any]] = {}
        self.reports: dict[str, list[dict[str, str]]] = {}
        self.skipped: list[dict[str, str]] = []
        self.errors: list[dict[str, str]] = []
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
        """Write an object of MNE.

        Parameters
        ----------
        name : str
            What follows the stem: a part that starts with ``_``, if any, and MNE's ending.
        value : object
            The object.
        kind : str
            Its kind, see :func:`mne_bstinv.adapters.files.mne_kind`.
        of : iterable of Path
            The files it was made of.
        **facts : object
            What else the manifest says of it; plain values.

        Returns
        -------
        tuple of str
            The names of the files.
        """
        from mne_bstinv.adapters.files import write_new

        stem, ending = name[: name.rfind("-")], name[name.rfind("-") :]
        path = self.folder / f"{shortened(self.stem + stem)}{ending}"
        names = tuple(self.add(file, of, **facts) for file in write_new(path, value, kind))
        values = value if type(value) is list else [value]  # SourceSpaces is a list too
        self.report(names[0], *map(conversion_report, values))
        return names

    def write_text(self, name: str, text: str, of: Iterable[Path]) -> None:
        """Write a text file.

        Parameters
        ----------
        name : str
            What follows the stem.
        text : str
            The text.
        of : iterable of Path
            The files it was made of.
        """
        path = self.folder / f"{shortened(self.stem)}{name}"
        path.write_text(text, "utf-8")
        self.add(path, of)

    def add(self, file: Path, of: Iterable[Path], **facts: Any) -> str:
        """Note a file that was written.

        Parameters
        ----------
        file : Path
            The file, in the staging folder.
        of : iterable of Path
            The files it was made of.
        **facts : object
            What else the manifest says of it; plain values.

        Returns
        -------
        str
            Its name relative to the folder.
        """
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
        """Note what conversions dropped, assumed or derived.

        Parameters
        ----------
        name : str
            The output; ``UNIT`` for what is of none alone.
        *reports : ConversionReport | iterable of Finding
            The findings.
        """
        findings = dict.fromkeys(finding for report in reports for finding in report)
        if findings:
            self.reports.setdefault(name, []).extend(dict(vars(f)) for f in findings)

    def report_rest(self, findings: Iterable[Finding]) -> None:
        """Note the findings that are of no single output, under the folder itself.

        Parameters
        ----------
        findings : iterable of Finding
            All that conversions found.
        """
        told = [finding for listed in self.reports.values() for finding in listed]
        self.report(UNIT, [f for f in findings if vars(f) not in told])

    def skip(self, file: Path, what: str, reason: str) -> None:
        """Note what is not converted, and why that is no error.

        Parameters
        ----------
        file : Path
            The input.
        what : str
            What is not made of it.
        reason : str
            Why, in one sentence.
        """
        self.skipped.append({"file": self.relative(file), "what": what, "reason": reason})

    @contextmanager
    def item(self, file: Path | None, what: str) -> Iterator[None]:
        """Note an error of one item, so that it does not stop the others.

        Parameters
        ----------
        file : Path | None
            The input.
        what : str
            What is made of it.

        Yields
        ------
        None
            While the item is converted.
        """
        try:
            yield
        except OSError as error:
            if error.errno in _FATAL:
                raise
            self._error(file, what, error)
        except Exception as error:  # one bad file must not end the others
            self._error(file, what, error)

    def relative(self, file: Path) -> str:
        """Name an input.

        Parameters
        ----------
        file : Path
            The file.

        Returns
        -------
        str
            Its path relative to the protocol, with ``/``.
        """
        return file.relative_to(self.root).as_posix()

    def _error(self, file: Path | None, what: str, error: Exception) -> None:
        name = "" if file is None else self.relative(file)
        self.errors.append({"file": name, "what": what, "reason": described(error)})


def _stored(file: Path) -> str:
    """Bring a file to the disk, and return its hash."""
    sync([file])
    return hash_file(file)


def described(error: BaseException) -> str:
    """Describe an error in one line.

    Parameters
    ----------
    error : BaseException
        The error.

    Returns
    -------
    str
        Its message; with its class unless it is one of this package.
    """
    text = " ".join(str(error).split())
    return text if isinstance(error, BstInvError) else f"{type(error).__name__}: {text}"
