"""Port a protocol and print, as JSON, its time and that of its reading and writing alone.

Used by ``port.py``. Reading is what the readers of :mod:`mne_bstinv.io` take for each input once;
writing is what MNE's writers take for the same objects, to disk is the system's fsync of what they
wrote. Both run right after the port, one file after the other, so that all see the same caches.
"""

from __future__ import annotations

import json
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mne

import mne_bstinv.adapters as adapters
from mne_bstinv import io, port_protocol
from mne_bstinv.adapters import files
from mne_bstinv.adapters.anatomy import surfaces_to_mne
from mne_bstinv.adapters.files.formats import _WRITERS
from mne_bstinv.cli.info import _READERS
from mne_bstinv.port import manifest, outputs, unit

spent: Counter[str] = Counter()


def timed(function: Callable[..., Any], key: str) -> Callable[..., Any]:
    """Add the time of each call to ``spent``."""

    def call(*args: Any, **kwargs: Any) -> Any:
        start = time.perf_counter()
        try:
            return function(*args, **kwargs)
        finally:
            spent[key] += time.perf_counter() - start

    call.__name__ = function.__name__
    return call


def read_inputs(protocol: Path, out: Path) -> None:
    """Read what the port has read: the index of the protocol, and each input of its manifests."""
    inputs: set[str] = set()
    for file in out.rglob("*/port.json"):
        inputs.update(json.loads(file.read_text())["inputs"])
    start = time.perf_counter()
    io.read_protocol(protocol)
    for name in sorted(inputs):
        _READERS[io.file_kind(name)](protocol / name)
    spent["read"] = time.perf_counter() - start


def write_again(written: list[tuple[Path, Any, str]], out: Path) -> None:
    """Write what the port has written, but the subjects folder."""
    out.mkdir()
    for number, (path, value, kind) in enumerate(written):
        folder = out / str(number)
        folder.mkdir()
        timed(_WRITERS[kind], "write")(folder / path.name, value)
        timed(manifest.sync, "sync")(folder.iterdir())


def main() -> None:
    """Measure."""
    protocol, out = map(Path, sys.argv[1:])
    mne.set_log_level("ERROR")
    # imports, and what MNE makes at its first use, belong to neither side
    port_protocol(protocol, out / "first")
    peak = unit._peak_memory()
    unit._LOCAL.store.clear()
    written: list[tuple[Path, Any, str]] = []
    write_new = files.write_new
    files.write_new = lambda *args: written.append(args) or write_new(*args)
    surfaces_to_mne.write_all = timed(surfaces_to_mne.write_all, "write")
    for module in (manifest, outputs, unit):
        module.hash_file = timed(module.hash_file, "hashes")
    adapters.to_inverse_operator = timed(adapters.to_inverse_operator, "operators")
    adapters.to_forward = timed(adapters.to_forward, "forwards")
    start = time.perf_counter()
    port_protocol(protocol, out / "timed")
    seconds = time.perf_counter() - start
    read_inputs(protocol, out / "timed")
    write_again(written, out / "again")
    names = ("read", "write", "sync", "hashes", "operators", "forwards")
    print(json.dumps({"port": seconds, "peak": peak, **{name: spent[name] for name in names}}))


if __name__ == "__main__":
    main()
