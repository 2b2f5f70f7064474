"""Continuous recordings: opening, reading and porting a file of 2.2 GB, beside NumPy and MNE alone.

Run ``python benchmarks/raw.py`` (options: ``--channels 300 --minutes 30``; ``--page``, which writes
the table into the page). The ``.bst`` file is made by script, 1 kHz in blocks of one second, and is
in the cache of the system: times of reading are those of the processor. Three parts, each says what
it asserts:

* opening the file, alone and as a ``Raw``, and by its link with the channel file: the shortest of
  30 calls, since this is no ratio and the machine may have others to serve;
* a window of ten seconds, and the whole file in such windows, beside *NumPy*: ``numpy.fromfile`` of
  the window, and a transpose of its blocks to channels × samples, contiguous and in double
  precision, which is what MNE works with. Both in turn; ratios are medians over pairs;
* a port: its peak memory above that of the interpreter with its imports, and its time beside *MNE*:
  reading the samples, and ``raw.save`` of what is then in memory.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import numpy as np
from _page import machine, publish

SFREQ, BLOCK = 1000.0, 1000
#: Length of a window, in blocks.
WINDOW = 10


@dataclass(frozen=True)
class Measured:
    """One number, and what it should stay below."""

    what: str
    value: float
    limit: float
    unit: str
    #: What the number is made of.
    of: str

    @property
    def is_missed(self) -> bool:
        """Whether it is not below."""
        return self.value >= self.limit

    def __str__(self) -> str:
        missed = ", missed" if self.is_missed else ""
        return f"{self.what}: {self.value:.3g} {self.unit} (aim: {self.limit:g}{missed}); {self.of}"


def main() -> None:
    """Run the parts."""
    logging.getLogger("mne_bstinv").setLevel(logging.ERROR)
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--channels", type=int, default=300)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    parser.add_argument("--folder", type=Path, help="where to put the files (default: temporary)")
    args = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    with tempfile.TemporaryDirectory(prefix="mne_bstinv_raw_", dir=args.folder) as folder:
        link = make_protocol(Path(folder), args.channels, round(60 * args.minutes))
        size = link.with_name("run.bst").stat().st_size / 1e9
        parts = (opening, reading, lambda file: porting(file, Path(folder)))
        found = [measured for part in parts for measured in part(link)]
    print(*found, machine(), sep="\n")
    if args.page:
        rows = [(f"{m.what} (aim: below {m.limit:g})", m.value, m.unit) for m in found]
        publish(
            "raw",
            rows,
            [
                f"{args.channels} channels, {args.minutes:g} minutes at {SFREQ:g} Hz, {size:.2f} "
                f"GB. {'. '.join(_sentence(m.of) for m in found)}. Milliseconds and ratios of "
                "reading are of the processor, those of the port of the clock.",
                "",
            ],
        )
    if any(measured.is_missed for measured in found):
        raise SystemExit("an aim is missed")


def _sentence(text: str) -> str:
    return text[0].upper() + text[1:]


def make_protocol(root: Path, n_channels: int, seconds: int) -> Path:
    """Write a protocol with one recording of electrodes, and return its link."""
    from mne_bstinv import io
    from mne_bstinv.io.bst import BstWriter, link_to, open_bst

    rng = np.random.default_rng(0)
    places = 0.09 * rng.standard_normal((n_channels, 3))
    electrodes = tuple(
        io.Channel(name=f"EEG{i:03d}", type="EEG", loc=place[:, None], weight=np.ones(1))
        for i, place in enumerate(places)
    )
    events = (io.Event(label="stim", times=np.arange(1.0, seconds, 2.0)[None]),)
    header = io.BstHeader(
        sfreq=SFREQ,
        start=0.0,
        n_samples=seconds * int(SFREQ),
        block=BLOCK,
        channels=io.Channels(channels=electrodes),
        channel_flag=np.ones(n_channels, int),
        events=events,
    )
    place = root / "p" / "data" / "Subject01" / "@rawrun"
    place.mkdir(parents=True)
    anatomy = root / "p" / "anat" / "Subject01"
    anatomy.mkdir(parents=True)
    io.write_subject(anatomy / "brainstormsubject.mat", io.Subject())
    io.write_study(place / "brainstormstudy.mat", io.Study(name="@rawrun"))
    io.write_channels(place / "channel.mat", header.channels)
    samples = 1e-5 * rng.standard_normal((n_channels, WINDOW * BLOCK))
    started = time.perf_counter()
    with BstWriter(place / "run.bst", header) as writer:
        for start in range(0, header.n_samples, WINDOW * BLOCK):
            writer.write(samples[:, : header.n_samples - start])
    took = time.perf_counter() - started
    opened = open_bst(place / "run.bst")
    link = link_to(opened.header, "run.bst", opened.offset)
    file = place / "data_0raw_run.mat"
    assert link.prop is not None
    recordings = io.Recordings(
        link=link, comment="Link to raw file", channel_flag=link.channel_flag,
        time=link.prop.times, data_type="raw",
    )  # fmt: skip
    io.write_recordings(file, recordings)
    size = (place / "run.bst").stat().st_size
    print(f"{n_channels} channels × {seconds} s at {SFREQ:g} Hz, {size / 1e9:.2f} GB, written in "
          f"{took:.1f} s")  # fmt: skip
    return file


def timed(run: Callable[[], object]) -> float:
    """Return the processor time of a call, s: the machine may have others to serve."""
    started = time.process_time()
    run()
    return time.process_time() - started


def in_turn(ours: Callable[[], object], plain: Callable[[], object], n: int) -> tuple[float, float]:
    """Return our time as a multiple of the other, and in s: medians over pairs of calls."""
    pairs = [(timed(plain), timed(ours)) for _ in range(n)]
    return median(own / other for other, own in pairs), median(own for _, own in pairs)


def opening(link: Path) -> list[Measured]:
    """Measure how long opening takes: it should not depend on the size."""
    from mne_bstinv import io, read_raw_brainstorm

    bst = link.with_name("run.bst")
    calls = (
        lambda: io.open_bst(bst),
        lambda: read_raw_brainstorm(bst, verbose="error"),
        lambda: read_raw_brainstorm(link, verbose="error"),
    )
    for call in calls:
        call()
    alone, raw, linked = (1e3 * min(timed(call) for _ in range(30)) for call in calls)
    of = (
        f"the shortest of 30 openings reads the header ({alone:.0f} ms) and makes the Info; by the "
    )
    of += f"link, with the channel file, it is {linked:.0f} ms"
    return [Measured("open a `.bst` file as a `Raw`", raw, 50, "ms", of)]


def plain_window(bst: Path, offset: int, n_channels: int, block: int, n_blocks: int) -> np.ndarray:
    """Read blocks with NumPy alone (n_channels, n_samples)."""
    count = n_blocks * n_channels * BLOCK
    start = offset + 4 * block * n_channels * BLOCK
    samples = np.fromfile(bst, dtype="<f4", count=count, offset=start)
    blocks = samples.reshape(n_blocks, n_channels, BLOCK).transpose(1, 0, 2)
    return np.ascontiguousarray(blocks, dtype=np.float64).reshape(n_channels, -1)


def reading(link: Path) -> list[Measured]:
    """Measure a window, and the whole file in windows, beside NumPy."""
    from mne_bstinv import io, read_raw_brainstorm

    raw = read_raw_brainstorm(link, verbose="error")
    opened = io.open_bst(link.with_name("run.bst"))
    n_channels, n_blocks = len(raw.ch_names), raw.n_times // BLOCK

    def plain(block: int) -> np.ndarray:
        return plain_window(opened.path, opened.offset, n_channels, block, WINDOW)

    def ours(block: int) -> np.ndarray:
        return raw.get_data(start=block * BLOCK, stop=(block + WINDOW) * BLOCK)

    def whole(read: Callable[[int], object]) -> None:
        for block in range(0, n_blocks - WINDOW + 1, WINDOW):
            read(block)

    middle = n_blocks // 2
    assert np.array_equal(plain(middle), ours(middle))
    window, seconds = in_turn(lambda: ours(middle), lambda: plain(middle), 51)
    of = f"a window takes {1e3 * seconds:.1f} ms"
    all_of_it, seconds = in_turn(lambda: whole(ours), lambda: whole(plain), 15)
    of_all = f"the whole file takes {seconds:.1f} s in such windows"
    return [
        Measured(f"read a window of {WINDOW} s", window, 1.2, "NumPy", of),
        Measured("read the whole file in windows", all_of_it, 1.2, "NumPy", of_all),
    ]


_PORT = """
import json, re, sys, time
from pathlib import Path
import numpy as np
import mne_bstinv, mne, scipy.io, h5py, pymatreader, joblib, tqdm, matplotlib
from mne_bstinv.port import port_protocol
import mne_bstinv.adapters.files, mne_bstinv.verification
def peak():  # of this process: what getrusage says begins with the peak of the one that started it
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
before = peak()
started = time.perf_counter()
report = port_protocol(sys.argv[1], sys.argv[2])
took = time.perf_counter() - started
assert report.success, str(report)
above = peak() - before
print(json.dumps({"took": took, "above": 1024 * above, "before": 1024 * before}))
"""

_SAVE = """
import json, sys, time
import numpy as np
import mne
from mne_bstinv import read_raw_brainstorm
mne.set_log_level("error")
started = time.perf_counter()
raw = read_raw_brainstorm(sys.argv[1], preload=True)
read = time.perf_counter() - started
held = mne.io.RawArray(raw._data, raw.info, copy="auto")
started = time.perf_counter()
held.save(sys.argv[2], overwrite=True)
print(json.dumps({"read": read, "save": time.perf_counter() - started}))
"""


def porting(link: Path, folder: Path) -> list[Measured]:
    """Measure memory and time of a port beside reading and saving."""
    protocol = link.parents[3]
    ratios, memory = [], []
    for number in range(3):
        plain = _run(_SAVE, link, folder / "held-raw.fif")
        for file in folder.glob("held-raw*.fif"):
            file.unlink()
        ported = _run(_PORT, protocol, folder / f"out{number}")
        shutil.rmtree(folder / f"out{number}")
        ratios.append(ported["took"] / (plain["read"] + plain["save"]))
        memory.append(ported["above"])
    alone = f"a port takes {ported['took']:.1f} s, reading {plain['read']:.1f} s and `raw.save` of "
    alone += f"the samples held in memory {plain['save']:.1f} s"
    peak = median(memory) / 1e6
    above = f"the interpreter with its imports takes {ported['before'] / 1e6:.0f} MB"
    return [
        Measured("peak memory of a port above the interpreter", peak, 300, "MB", above),
        Measured("time of a port", median(ratios), 1.3, "MNE", alone),
    ]


def _run(script: str, *arguments: Path) -> dict[str, float]:
    """Run a script in a process of its own and return what it says."""
    words = [sys.executable, "-c", script, *map(str, arguments)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
