"""Time and memory of a kernel: ours, the floor, and MNE-Python, in one run.

Run ``python benchmarks/kernel.py`` (options: ``--locations 5000 15000 --repeats 5 --no-mne``).
204 planar gradiometers and 102 magnetometers, random gain and covariance of realistic scale.

* floor: the Gram product of the gain's rows plus one matrix product of the kernel's size for
  ``amplitude`` and ``sloreta``, two for ``dspm2018``: what any method of this kind must do.
* MNE: ``make_inverse_operator`` + ``prepare_inverse_operator`` + the kernel assembled, on the
  same gain with a matching orientation and measure (its own conventions otherwise).
* memory: peak resident memory above the state before the call, plus the gain itself, as a
  multiple of the gain; each measured in a process of its own.

Processor time of one thread; only the ratios mean anything: they are medians over repeats, of
MNE over three.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
import warnings
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "1"  # to be set before NumPy is imported

import numpy as np
from _page import publish_table

N_GRAD, N_MAG = 204, 102
MEASURES = ("amplitude", "dspm2018", "sloreta")
ORIENTATIONS = ("fixed", "loose", "free")


def make_study(n_sources: int) -> tuple[dict, dict]:
    """Random gain (Fortran order, as read from a file) and covariance."""
    rng = np.random.default_rng(n_sources)
    n = N_GRAD + N_MAG
    scale = np.repeat([1e-6, 5e-8], [N_GRAD, N_MAG])
    gain = np.asfortranarray(rng.standard_normal((3 * n_sources, n)).T)
    gain *= scale[:, None]
    normals = rng.standard_normal((n_sources, 3))
    normals /= np.linalg.norm(normals, axis=1, keepdims=True)
    noise = rng.standard_normal((n, 4 * n)) * np.repeat([3e-13, 1.5e-14], [N_GRAD, N_MAG])[:, None]
    head_model = {"Gain": gain, "GridOrient": normals, "HeadModelType": "surface"}
    options = {
        "NoiseCovMat": {"NoiseCov": np.cov(noise)},
        "ChannelTypes": ["MEG GRAD"] * N_GRAD + ["MEG MAG"] * N_MAG,
    }
    return head_model, options


def ours(head_model: dict, options: dict, orient: str, measure: str) -> np.ndarray:
    from mne_bstinv import bst_inverse_linear

    return bst_inverse_linear(
        head_model, options | {"SourceOrient": orient, "InverseMeasure": measure}
    ).kernel


def floor(rows: np.ndarray, square: np.ndarray, n_products: int) -> None:
    rows.T @ rows
    for _ in range(n_products):
        rows @ square


def mne_objects(head_model: dict, options: dict) -> tuple:
    """Build a Forward and a Covariance that MNE accepts, outside of the timing."""
    import mne

    n_sources = len(head_model["GridOrient"])
    names = [f"MEG{i:04d}" for i in range(N_GRAD + N_MAG)]
    info = mne.create_info(names, 1000.0, ["grad"] * N_GRAD + ["mag"] * N_MAG)
    for channel in info["chs"]:
        channel["loc"][3:] = np.eye(3).ravel()
    info["dev_head_t"] = mne.Transform("meg", "head", np.eye(4))
    rng = np.random.default_rng(0)
    rr = 0.07 * head_model["GridOrient"] * rng.uniform(0.8, 1, (n_sources, 1))
    src = mne.setup_volume_source_space(
        pos={"rr": rr, "nn": head_model["GridOrient"]}, verbose=False
    )
    src[0]["coord_frame"] = np.int32(4)
    sol = {
        "data": np.ascontiguousarray(head_model["Gain"]),
        "nrow": len(names),
        "ncol": 3 * n_sources,
        "row_names": names,
        "col_names": [],
    }
    forward = mne.Forward(
        sol=sol,
        source_ori=np.int32(2),
        nsource=n_sources,
        nchan=len(names),
        coord_frame=np.int32(4),
        sol_grad=None,
        info=info,
        src=src,
        surf_ori=False,
        mri_head_t=mne.Transform("mri", "head", np.eye(4)),
        source_rr=rr,
        source_nn=np.tile(np.eye(3), (n_sources, 1)),
    )
    forward["_orig_sol"] = sol["data"].copy()
    forward["_orig_source_ori"] = 2
    forward["_orig_sol_grad"] = None
    src[0]["type"] = "surf"  # MNE refuses fixed and loose orientations on other kinds
    cov = mne.Covariance(options["NoiseCovMat"]["NoiseCov"], names, [], [], 1000)
    return info, forward, cov


def mne_kernel(info, forward, cov, orient: str, measure: str) -> np.ndarray:
    import mne
    from mne.minimum_norm import make_inverse_operator, prepare_inverse_operator

    # private, and only here: no public function of MNE returns the kernel without applying it
    from mne.minimum_norm.inverse import _assemble_kernel

    method = {"amplitude": "MNE", "dspm2018": "dSPM", "sloreta": "sLORETA"}[measure]
    with warnings.catch_warnings(), mne.utils.use_log_level("ERROR"):
        warnings.simplefilter("ignore")
        inverse = make_inverse_operator(
            info,
            forward,
            cov,
            loose={"fixed": 0.0, "loose": 0.2, "free": 1.0}[orient],
            fixed=orient == "fixed",
            depth=None if measure == "sloreta" else 0.8,
            use_cps=False,
        )
        prepared = prepare_inverse_operator(inverse, 1, 1 / 9, method)
        return _assemble_kernel(prepared, None, method, "vector" if orient != "fixed" else None)[0]


def timed(function, *args) -> float:
    start = time.process_time()
    function(*args)
    return time.process_time() - start


def compare(n_sources: int, orient: str, measure: str, repeats: int, with_mne: bool) -> dict:
    """Median ratios of one combination, ours and the floor interleaved."""
    head_model, options = make_study(n_sources)
    n = N_GRAD + N_MAG
    p = 1 if orient == "fixed" else 3
    rows = np.random.default_rng(0).standard_normal((p * n_sources, n))
    square = np.ones((n, n))
    n_products = 2 if measure == "dspm2018" else 1
    prepared = mne_objects(head_model, options) if with_mne else None
    seconds, to_floor = [], []
    for _ in range(repeats + 1):  # the first warms up
        seconds.append(timed(ours, head_model, options, orient, measure))
        to_floor.append(seconds[-1] / timed(floor, rows, square, n_products))
    mne_s = [timed(mne_kernel, *prepared, orient, measure) for _ in range(3) if prepared]
    return {
        "locations": n_sources,
        "orientation": orient,
        "measure": measure,
        "seconds": float(np.median(seconds[1:])),
        "times_floor": float(np.median(to_floor[1:])),
        "mne_times_ours": float(np.median(mne_s or [np.nan]) / np.median(seconds[1:])),
    }


def memory(n_sources: int, orient: str, measure: str) -> float:
    """Gain plus peak memory of the call, over the gain, in a process of its own."""
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import kernel as b\n"
        f"h, o = b.make_study(50); b.ours(h, o, {orient!r}, {measure!r})\n"
        f"h, o = b.make_study({n_sources})\n"
        "before = b.reset_peak()\n"
        f"k = b.ours(h, o, {orient!r}, {measure!r})\n"
        "print((h['Gain'].nbytes + b.status('VmHWM') - before) / h['Gain'].nbytes)"
    )
    here = str(Path(__file__).parent)
    output = subprocess.run(
        [sys.executable, "-c", code, here], check=True, capture_output=True, text=True
    ).stdout
    return float(output)


def status(field: str, process: int | str = "self") -> int:
    """Read a memory figure of a process, in bytes (Linux)."""
    lines = Path(f"/proc/{process}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(field))


def reset_peak(process: int | str = "self") -> int:
    """Forget the peak so far; return the memory resident now, in bytes (Linux)."""
    Path(f"/proc/{process}/clear_refs").write_text("5")
    return status("VmRSS", process)


def main() -> None:
    """Print the table (and JSON with ``--json``)."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--locations", type=int, nargs="+", default=[5000, 15000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--no-mne", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--page", action="store_true", help="write the table into the page")
    args = parser.parse_args()
    rows = []
    for n_sources in args.locations:
        for orient in ORIENTATIONS:
            for measure in MEASURES:
                row = compare(n_sources, orient, measure, args.repeats, not args.no_mne)
                row["memory_times_gain"] = memory(n_sources, orient, measure)
                rows.append(row)
                print(
                    "{locations:6d} {orientation:6s} {measure:10s} {seconds:7.3f} s  "
                    "{times_floor:5.2f} × floor  MNE {mne_times_ours:6.1f} × slower  "
                    "memory {memory_times_gain:4.2f} × gain".format(**row),
                    file=sys.stderr if args.json else sys.stdout,
                    flush=True,
                )
    if args.json:
        print(json.dumps(rows, indent=1))
    if args.page:
        publish_table("kernel", HEAD, map(_cells, rows))


#: What the page calls the columns.
HEAD = ("locations", "orientation", "measure", "times the floor", "MNE-Python, times ours",
        "memory, times the gain")  # fmt: skip


def _cells(row: dict) -> tuple[str, ...]:
    ratios = ("times_floor", "mne_times_ours", "memory_times_gain")
    return (
        str(row["locations"]),
        row["orientation"],
        row["measure"],
        *(f"{row[ratio]:.3g}" for ratio in ratios),
    )


if __name__ == "__main__":
    main()
