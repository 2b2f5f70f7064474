"""Port of a protocol of many conditions: time beside reading and writing alone, workers, kills.

Run ``python benchmarks/port.py`` (options: ``--conditions 50 --kills 20 --parts io again``;
``--page`` writes what was measured into the page). The protocol is made of the sample by script.
Five parts, each says what it asserts:

* time of a port beside that of reading its inputs and writing its outputs alone, and its memory,
* one and two workers on some conditions of a usual size,
* how time grows with the number of conditions, and that of a port that finds nothing to do,
* resume after the port was killed (SIGKILL) at random moments: no half file, no wrong manifest, the
  same files in the end,
* a disk that is full: a limit on the size of files stands for it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from _page import publish
from _small import small_protocol

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from port_checks import check_output, files_of
from port_studies import make_large_protocol, make_protocol

PORT = [sys.executable, "-m", "mne_bstinv", "port"]

#: A task, how many times its unit it takes, and the unit.
Row = tuple[str, float, str]


def main() -> None:
    """Run the parts."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--conditions", type=int, default=50)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--parts", nargs="+", default=["io", "again", "jobs", "kill", "disk"])
    parser.add_argument("--large", type=int, default=2, help="conditions of a usual size")
    parser.add_argument("--small", type=int, nargs=2, default=[25, 200], metavar=("FEW", "MANY"),
                        help="small conditions, ported again")  # fmt: skip
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    os.environ["OPENBLAS_NUM_THREADS"] = "1"
    found: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="mne_bstinv_port_") as folder:
        root = Path(folder)
        if "io" in args.parts:
            for n in sorted({1, args.large}):
                large = make_large_protocol(root / f"large{n}", n_conditions=n)
                what = f"{n} condition{'s' * (n > 1)}, 270 channels, 15000 locations"
                found += beside_io(large, root, what, args.repeats)
            ten = make_protocol(root / "ten", n_subjects=1, n_conditions=10)
            what = "10 conditions, 135 channels, 296 locations"
            found += [next(beside_io(ten, root, what, args.repeats))]
        if "again" in args.parts:
            found += again(root, *args.small)
        if "jobs" in args.parts:
            found.append(workers(root, 2 * args.large))
        if {"kill", "disk"} & set(args.parts):
            each = -(-args.conditions // 5)
            many = make_protocol(root / "many", n_subjects=5, n_conditions=each)
            if "kill" in args.parts:
                kills(many, root, args.kills, random.Random(args.seed))
            if "disk" in args.parts:
                full_disk(many, root)
    if args.page:
        publish("port", found)


def beside_io(protocol: Path, root: Path, what: str, repeats: int) -> Iterator[Row]:
    """Time a port of conditions, and reading and writing alone, in a process of their own."""
    script, out = Path(__file__).with_name("_port_io.py"), root / "io"
    done = subprocess.run(
        [sys.executable, script, protocol, out, str(repeats)],
        check=True,
        capture_output=True,
        text=True,
    )
    shutil.rmtree(out)
    found = json.loads(done.stdout)
    port, read, write = (
        "{:.2f} s ({:.2f} s)".format(*found[name]) for name in ("port", "read", "write")
    )
    print(
        f"{what}: processor (clock): port {port} = {found['ratio']:.2f} "
        f"({found['clock_ratio']:.2f}) × (reading {read} + writing {write}); "
        f"anatomy {found['anatomies']:.1f} s; peak memory {found['peak'] / 1e6:.0f} MB",
        flush=True,
    )
    yield f"port, {what}", found["ratio"], "reading and writing the same bytes"
    yield f"port by the clock, {what}", found["clock_ratio"], "reading and writing the same bytes"
    yield f"peak memory of a port, {what}", found["peak"] / found["gain"], "one gain"


#: Print the time of a port and of one that finds nothing to do, as a new process finds it.
_AGAIN = """
import sys, time
import mne
from mne_bstinv import port_protocol
from mne_bstinv.port import manifest

mne.set_log_level("ERROR")
protocol, out = sys.argv[1:]
port_protocol(protocol, out + "0", conditions="cond01")  # imports, what MNE makes at first
times = []
for _ in range(4):
    manifest._hash.cache_clear()
    begin = time.process_time()
    port_protocol(protocol, out)
    times.append(time.process_time() - begin)
print(times[0], min(times[1:]))
"""


def again(root: Path, few: int, many: int) -> Iterator[Row]:
    """Time a port, and one that finds nothing to do, of few and of many conditions."""
    each = {}
    for n in (few, many):
        protocol, out = small_protocol(root / f"small{n}", n), root / f"out{n}"
        done = subprocess.run(
            [sys.executable, "-c", _AGAIN, protocol, out],
            check=True,
            capture_output=True,
            text=True,
        )
        each[n] = [float(word) / n for word in done.stdout.splitlines()[-1].split()]
        milliseconds = [round(1000 * seconds, 2) for seconds in each[n]]
        print(f"{n} small conditions: {milliseconds} ms each, new and again", flush=True)
        shutil.rmtree(protocol)
        shutil.rmtree(out)
    for step, what in enumerate(("port", "port again, nothing to do")):
        ratio = each[many][step] / each[few][step]
        yield f"{what}, a condition of {many}", ratio, f"a condition of {few}"
    yield "port again, nothing to do", each[many][1] / each[many][0], "port"
    yield f"port again, nothing to do, {many} conditions", many * each[many][1], "s"


def workers(root: Path, n: int) -> Row:
    """Time one and two workers on n conditions of a usual size."""
    protocol = make_large_protocol(root / "jobs", n_conditions=n)
    seconds: dict[int, float] = {}
    for n_jobs in (1, 2):
        times = []
        for _ in range(2):
            out = root / "out"
            start = time.perf_counter()
            subprocess.run([*PORT, protocol, out, "--n-jobs", str(n_jobs)], check=True,
                           capture_output=True)  # fmt: skip
            times.append(time.perf_counter() - start)
            shutil.rmtree(out)
        seconds[n_jobs] = min(times)
    shutil.rmtree(protocol)
    print(
        f"{n} conditions of 270 channels, 15000 locations: 1 worker {seconds[1]:.1f} s, 2 workers "
        f"{seconds[2]:.1f} s: {seconds[1] / seconds[2]:.2f} ×, process start included"
    )
    what = f"port, {n} conditions, 270 channels, 15000 locations, two workers"
    return what, seconds[2] / seconds[1], "one worker"


def kills(protocol: Path, root: Path, n_kills: int, rng: random.Random) -> None:
    """Kill the port at random moments, go on, and compare with one that was never killed."""
    clean, out = root / "clean", root / "killed"
    start = time.perf_counter()
    subprocess.run([*PORT, protocol, clean], check=True, capture_output=True)
    whole = time.perf_counter() - start
    start = time.perf_counter()
    subprocess.run([*PORT, protocol, clean], check=True, capture_output=True)
    again = time.perf_counter() - start
    killed, seen, moments = 0, Counter(), []
    while killed < n_kills:
        n_jobs = rng.choice((1, 2))
        process = subprocess.Popen(
            [*PORT, protocol, out, "--n-jobs", str(n_jobs)], start_new_session=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        moment = rng.uniform(0.5, 2.5)
        try:
            process.wait(timeout=moment)
        except subprocess.TimeoutExpired:
            # now the whole group, now the main process alone: its workers are left behind
            if rng.random() < 0.5:
                os.killpg(process.pid, signal.SIGKILL)
            else:
                os.kill(process.pid, signal.SIGKILL)
            process.wait()
            killed += 1
            moments.append(moment)
        if out.exists():
            statuses = check_output(out)
            seen.update(statuses)
            if statuses.get("done", 0) == len(files_of(clean, "port.json")) - 1:
                # all done: let a subject start anew
                shutil.rmtree(out / "Subject01")
    final = subprocess.run([*PORT, protocol, out], capture_output=True, text=True, check=True)
    assert check_output(out) == check_output(clean)
    assert files_of(out) == files_of(clean), "other files than without the kills"
    print(
        f"{len(files_of(clean, 'port.json')) - 1} units in {whole:.1f} s, again (nothing to do) in "
        f"{again:.1f} s; {killed} kills after {min(moments):.1f} to {max(moments):.1f} s, each "
        f"followed by a check of all files and manifests ({sum(seen.values())} manifests, "
        f"{seen['incomplete']} incomplete): none wrong; in the end {final.stdout.split(';')[0]}, "
        "the same files as without kills"
    )


def full_disk(protocol: Path, root: Path) -> None:
    """Let writing fail: files may not grow beyond 200 kB."""
    out = root / "full"

    def limited() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, 200_000))

    command = [*PORT, protocol, out, "--subject", "Subject01"]
    failed = subprocess.run(command, preexec_fn=limited, capture_output=True, text=True)
    assert failed.returncode == 1, failed
    assert "File too large" in failed.stdout
    statuses = check_output(out)
    assert statuses["failed"], statuses
    subprocess.run(command, check=True, capture_output=True)
    print(f"disk full: {dict(statuses)}, no half file; with room again: {dict(check_output(out))}")


if __name__ == "__main__":
    main()
