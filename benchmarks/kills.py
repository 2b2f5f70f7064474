"""Kill ports, exports and conversions at random moments, and see what is left.

Run ``python benchmarks/kills.py`` (options: ``--kills 300 --seed 0``; Linux only). A process
that has imported everything is forked for each command and killed with SIGKILL after a random part
of the time that the command takes, so that a third of the kills fall on each of port (two workers),
export and convert. After each kill no worker may live for longer than its start takes; the same
command, run again, must end well, give the files that an undisturbed run gives, and leave nothing
half-written.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import mne

from mne_bstinv import to_covariance, to_evoked, to_forward
from mne_bstinv.cli import main as command_line

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "helpers"))
from small_sample import load_small_sample

TESTS = Path(__file__).parents[1] / "tests"

#: What marks the workers of a command in their environment.
MARK = "MNE_BSTINV_KILLS"

#: Seconds that a worker may outlive its parent: on a busy machine its imports take many.
GRACE = 30.0


def mne_files(folder: Path) -> None:
    """Write the sample study as files of MNE."""
    study = load_small_sample()
    to_evoked(study.recordings, study.channels).save(folder / "s-ave.fif")
    forward = to_forward(study.head_model, study.channels, surface=study.cortex)
    mne.write_forward_solution(folder / "s-fwd.fif", forward)
    mne.write_cov(folder / "s-cov.fif", to_covariance(study.noise_cov, study.channels))


def commands(files: Path) -> dict[str, list[str]]:
    """Commands, whose output ``{out}`` stands for."""
    gain = next((TESTS / "data" / "eeg_shared").rglob("headmodel*.mat"))
    return {
        "port": ["port", str(TESTS / "data" / "eeg_shared"), "{out}", "--n-jobs", "2"],
        "export": ["export", "{out}", "--subject", "S", "--condition", "c", "--recordings",
                   str(files / "s-ave.fif"), "--forward", str(files / "s-fwd.fif"),
                   "--noise-cov", str(files / "s-cov.fif")],
        "convert": ["convert", str(gain), "{out}-fwd.fif"],
    }  # fmt: skip


def forked(arguments: list[str], mark: str) -> int:
    """Run a command in a process of its own; return its number."""
    child = os.fork()
    if child == 0:
        os.environ[MARK] = mark
        silent = os.open(os.devnull, os.O_WRONLY)
        os.dup2(silent, 1)
        os.dup2(silent, 2)
        code = 3
        try:
            code = command_line(arguments)
        finally:
            os._exit(code)
    return child


def alive(mark: str) -> list[int]:
    """List the processes with a mark in their environment."""
    found, entry = [], f"{MARK}={mark}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            state = (folder / "stat").read_text().rpartition(")")[2].split()[0]
            if state != "Z" and entry in (folder / "environ").read_bytes().split(b"\0"):
                found.append(int(folder.name))
    return found


def names_of(folder: Path) -> list[str]:
    """List the files of an output: all but the time in their names, and the size of FIF files."""
    files = [file for file in folder.rglob("*") if file.is_file() and ".port" not in file.parts]
    names = {file: re.sub(r"_\d{6}_\d{4}", "", str(file.relative_to(folder))) for file in files}
    sizes = {file: file.stat().st_size if file.suffix == ".fif" else "" for file in files}
    return sorted(f"{names[file]} {sizes[file]}" for file in files)


def killed_at(arguments: list[str], seconds: float, mark: str) -> list[int]:
    """Kill a command after some time; return the workers that live on."""
    child = forked(arguments, mark)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    end = time.monotonic() + GRACE
    while alive(mark) and time.monotonic() < end:
        time.sleep(0.1)
    return alive(mark)


def run(arguments: list[str]) -> tuple[int, float]:
    """Run a command to its end; return its exit code and the time it took."""
    start = time.monotonic()
    _, status = os.waitpid(forked(arguments, "whole"), 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - start


def main() -> None:
    """Print what was left of how many kills."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--kills", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    mne.set_log_level("error")
    rng, faults, halves, counts = random.Random(args.seed), [], 0, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        mne_files(folder)
        whole = {}
        for what, arguments in commands(folder).items():
            place = folder / f"whole_{what}"
            place.mkdir()
            code, seconds = run([a.replace("{out}", str(place / "out")) for a in arguments])
            assert code == 0, what
            whole[what] = names_of(place), seconds
        for index in range(args.kills):
            what = list(whole)[index % 3]
            place = folder / f"killed_{index}"
            place.mkdir()
            arguments = [a.replace("{out}", str(place / "out")) for a in commands(folder)[what]]
            expected, seconds = whole[what]
            workers = killed_at(arguments, rng.uniform(0, seconds), f"{os.getpid()}-{index}")
            for worker in workers:
                os.kill(worker, signal.SIGKILL)
            halves += names_of(place) not in ([], expected)
            done = names_of(place) == expected
            code, _ = run(arguments)
            if code != 0 and not (done and what != "port"):  # it had ended: it is not overwritten
                faults.append(f"{index} {what}: exit code {code}")
            if workers:
                faults.append(f"{index} {what}: {len(workers)} workers alive")
            if names_of(place) != expected:
                faults.append(f"{index} {what}: {set(names_of(place)) ^ set(expected)}")
            if any(place.rglob(".*.tmp")) or any(place.rglob(".*.old")):
                faults.append(f"{index} {what}: something is left over")
            counts[what] = counts.get(what, 0) + 1
            shutil.rmtree(place)
    print(", ".join(f"{number} kills of {what}" for what, number in counts.items()))
    print(f"{halves} left something unfinished; {len(faults)} faults after the next run")
    print("\n".join(faults))


if __name__ == "__main__":
    main()
