"""Read files in a child process, so that a crash, an endless loop or a flood of memory is counted.

Run as a script it reads lines of JSON, a reader's name and a file, or the arguments of a command,
and answers with what became of each; :class:`ChildReader` talks to it.
"""

from __future__ import annotations

import contextlib
import dataclasses
import gc
import importlib
import io
import json
import os
import select
import subprocess
import sys
import time
import traceback
import warnings
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What became of reading a file."""

    #: ``'read'``, ``'own error'``, ``'foreign error'``, ``'crash'``, ``'no end'``.
    state: str
    #: The message of the error.
    message: str = ""
    #: Bytes of memory at the highest, above what there was before.
    memory: int = 0
    seconds: float = 0.0
    #: Digest of the value.
    digest: str = ""


class ChildReader:
    """Reads files in a child process that is started again when it dies.

    Parameters
    ----------
    limit : float
        Seconds until the child is killed.
    """

    def __init__(self, limit: float = 60.0) -> None:
        self.limit = limit
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> ChildReader:
        return self

    def __exit__(self, *error: object) -> None:
        self._stop()

    def _stop(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            for pipe in (self.process.stdin, self.process.stdout):
                pipe.close()
        self.process = None

    def read(self, reader: str, file: Path) -> Outcome:
        """Return what became of ``mne_bstinv.io.read_…`` (or ``mat`` for any variables)."""
        return self._asked(reader, str(file))

    def run(self, *arguments: str | Path) -> Outcome:
        """Return what became of ``mne-bstinv`` with arguments; all its output is the message."""
        return self._asked("command", *map(str, arguments))

    def _asked(self, *question: str) -> Outcome:
        if self.process is None:
            self.process = subprocess.Popen(
                [sys.executable, __file__], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL, text=True, env=os.environ | {"PYTHONFAULTHANDLER": ""},
            )  # fmt: skip
        start = time.perf_counter()
        self.process.stdin.write(json.dumps(question) + "\n")
        self.process.stdin.flush()
        if not select.select([self.process.stdout], [], [], self.limit)[0]:
            self._stop()
            return Outcome("no end", seconds=self.limit)
        answer = self.process.stdout.readline()
        if not answer:
            code = self.process.wait()
            self._stop()
            return Outcome("crash", f"exit code {code}")
        return Outcome(**json.loads(answer), seconds=time.perf_counter() - start)


def _memory(row: str) -> int:
    """Return a row of /proc/self/status in bytes; 0 where there is none."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(row)), 0)


def _answer(reader: str, file: str) -> dict[str, Any]:
    # only the child needs them, and takes their memory before it reads anything
    from io_helpers import digest

    import mne_bstinv.io
    from mne_bstinv.errors import BstInvError
    from mne_bstinv.io import mat

    read = mat.read if reader == "mat" else getattr(mne_bstinv.io, f"read_{reader}")
    try:
        value = read(file)
        repr(value)
        return {"state": "read", "digest": digest(value)}
    except BstInvError as error:
        named = Path(file).name in str(error)
        return {"state": "own error" if named else "unnamed error", "message": str(error)}
    except BaseException as error:
        where = traceback.format_tb(error.__traceback__)[-1]
        return {"state": "foreign error", "message": f"{type(error).__name__}: {error}, {where}"}


def _command(*arguments: str) -> dict[str, Any]:
    from mne_bstinv.cli import main

    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(list(arguments))
        except BaseException as error:
            where = traceback.format_tb(error.__traceback__)[-1]
            return {
                "state": "foreign error",
                "message": f"{type(error).__name__}: {error}, {where}",
            }
    states = {0: "read", 1: "own error", 2: "own error"}
    return {"state": states.get(code, f"exit code {code}"), "message": said.getvalue()}


def _serve() -> None:
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # nothing else writes to the pipe
    warnings.simplefilter("ignore")
    # no MATLAB file, but all imports are made; that of HDF5 only for files of v7.3
    _answer("mat", __file__)
    importlib.import_module("mne_bstinv.io.mat73")
    peak = Path("/proc/self/clear_refs")
    for line in sys.stdin:
        gc.collect()
        if peak.exists():
            peak.write_text("5")  # the highest mark of memory begins anew
        before = _memory("VmRSS")
        what, *rest = json.loads(line)
        answer = _command(*rest) if what == "command" else _answer(what, *rest)
        answer["memory"] = max(0, _memory("VmHWM") - before)
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    _serve()
