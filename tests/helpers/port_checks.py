"""What holds of the output of a port at any moment."""

from __future__ import annotations

import hashlib
import json
import warnings
from collections import Counter
from pathlib import Path

import mne


def files_of(out: Path, name: str = "*") -> list[str]:
    """Files of an output, without what is being worked on."""
    found = (path.relative_to(out) for path in out.rglob(name) if path.is_file())
    return sorted(path.as_posix() for path in found if path.parts[0] != ".port")


def check_output(out: Path) -> Counter[str]:
    """Check all manifests against the files, and count the units of each status.

    Every manifest is whole; where it says that a unit is done, all its files are there and are
    those it lists; each file that is there is listed; there are no temporary files but where work
    goes on.
    """
    statuses: Counter[str] = Counter()
    listed = {"port.json", "port.html"}
    for manifest in out.rglob("port.json"):
        if ".port" in manifest.relative_to(out).parts or manifest.parent == out:
            continue
        content = json.loads(manifest.read_text("utf-8"))
        statuses[content["status"]] += 1
        assert content["folder"] == manifest.parent.relative_to(out).as_posix()
        listed.add(f"{content['folder']}/port.json")
        for name, output in content["outputs"].items():
            file = manifest.parent / name
            listed.add(f"{content['folder']}/{name}")
            if content["status"] == "done":
                digest = hashlib.sha256(file.read_bytes()).hexdigest()
                assert digest == output["sha256"], file
    leftover = [name for name in files_of(out) if name not in listed]
    # a manifest that was being replaced
    assert all(name.endswith(".tmp") for name in leftover), leftover
    if (out / "port.json").exists():
        check_whole(json.loads((out / "port.json").read_text("utf-8")), out)
    return statuses


def check_whole(whole: dict, out: Path) -> None:
    """The manifest of the whole says what those of the units say, or that a port is running."""
    assert whole["status"] in ("running", "done", "failed", "partial")
    if whole["status"] == "running":
        assert whole["units"] == []
        return
    for unit in whole["units"]:
        assert json.loads((out / unit["folder"] / "port.json").read_text("utf-8")) == unit


def read_with_mne(out: Path) -> Counter[str]:
    """Read every file of an output with MNE alone, and count them by their ending."""
    readers = {
        "-info.fif": mne.io.read_info,
        "-trans.fif": mne.read_trans,
        "-ave.fif": lambda file: mne.read_evokeds(file, proj=False),
        "-epo.fif": lambda file: mne.read_epochs(file, proj=False),
        "-cov.fif": mne.read_cov,
        "-fwd.fif": mne.read_forward_solution,
        "-src.fif": mne.read_source_spaces,
        "-inv.fif": mne.minimum_norm.read_inverse_operator,
        "-lh.stc": mne.read_source_estimate,
        "-vl.stc": mne.read_source_estimate,
        "-stc.h5": mne.read_source_estimate,
    }
    counts: Counter[str] = Counter()
    for name in files_of(out):
        for ending, reader in readers.items():
            if name.endswith(ending):
                with warnings.catch_warnings():
                    # Epochs try projectors out that are not to be applied
                    warnings.filterwarnings("ignore", "Projection vector", RuntimeWarning)
                    reader(out / name)
                counts[ending] += 1
    return counts
