"""Port the conditions of a protocol and print, as JSON, its time and that of reading and writing.

Used by ``port.py``. Reading is what the readers of :mod:`mne_bstinv.io` take for each input once;
writing is the bytes of the outputs written to new files and brought to the disk. Both run right
after the port, in the same process, so that all see the same caches and memory.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import mne

from mne_bstinv import io, port_protocol
from mne_bstinv.io.registry import KINDS
from mne_bstinv.port import manifest, unit
from mne_bstinv.port.plan import ANATOMY


def measured(function: Callable[[], object]) -> tuple[float, float]:
    """Return the seconds that a call takes, of the processor and of the clock."""
    clock, processor = time.perf_counter(), time.process_time()
    function()
    return time.process_time() - processor, time.perf_counter() - clock


def forget() -> None:
    """Let the process know nothing of the files, as a new one."""
    unit._LOCAL.store.clear()
    manifest._hash.cache_clear()


def gain_size(protocol: Path, names: list[str]) -> int:
    """Return the size of the largest gain of some files, in bytes."""
    models = [protocol / name for name in names if io.file_kind(name) == "headmodel"]
    return max(io.read_head_model(model).gain.nbytes for model in models)


def read_inputs(protocol: Path, names: list[str]) -> None:
    """Read the index of the protocol, and each of some files."""
    io.read_protocol(protocol)
    for name in names:
        KINDS[io.file_kind(name)].read(protocol / name)


def write_outputs(folder: Path, contents: list[bytes]) -> None:
    """Write contents to files, and bring them to the disk."""
    folder.mkdir()
    for number, content in enumerate(contents):
        path = folder / str(number)
        path.write_bytes(content)
        manifest.sync([path])
    manifest.sync([folder])


def median_ratio(times: dict[str, list[tuple[float, float]]], of: int) -> float:
    """Return port over reading and writing, by the processor (0) or the clock (1)."""
    seconds = ([each[of] for each in times[name]] for name in ("port", "read", "write"))
    return statistics.median(
        port / (read + write) for port, read, write in zip(*seconds, strict=True)
    )


def main() -> None:
    """Measure."""
    protocol, out, repeats = Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    mne.set_log_level("ERROR")
    begun = unit._peak_memory()
    # the anatomy, which is shared; imports, and what MNE makes at its first use
    port_protocol(protocol, out)
    peak = unit._peak_memory() - begun
    found = {file: json.loads(file.read_text("utf-8")) for file in out.rglob("*/port.json")}
    parts = {file.parent: each for file, each in found.items() if each["kind"] != ANATOMY}
    inputs = sorted({name for each in parts.values() for name in each["inputs"]})
    outputs = [folder / name for folder, each in parts.items() for name in each["outputs"]]
    anatomies = sum(each["seconds"] for each in found.values() if each["kind"] == ANATOMY)
    times: dict[str, list[tuple[float, float]]] = {"port": [], "read": [], "write": []}
    for _ in range(repeats):
        contents = [file.read_bytes() for file in outputs]
        times["write"].append(measured(partial(write_outputs, out / "again", contents)))
        shutil.rmtree(out / "again")
        contents.clear()
        times["read"].append(measured(partial(read_inputs, protocol, inputs)))
        for folder in parts:
            shutil.rmtree(folder)
        forget()
        times["port"].append(measured(partial(port_protocol, protocol, out)))
    said = {
        "ratio": median_ratio(times, 0),
        "clock_ratio": median_ratio(times, 1),
        "peak": peak,
        "gain": gain_size(protocol, inputs),
        "anatomies": anatomies,
    }
    for name, listed in times.items():
        said[name] = [statistics.median(each) for each in zip(*listed, strict=True)]
    print(json.dumps(said))


if __name__ == "__main__":
    main()
