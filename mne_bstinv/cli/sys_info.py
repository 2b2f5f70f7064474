"""Say what is installed: platform, versions, linear algebra, folders; for a report of a problem."""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Any

from mne_bstinv.datasets import download_folder

__all__ = ["TWINS", "add_arguments", "run", "system"]

#: What does the same in Python.
TWINS = ("mne_bstinv.cli.sys_info.system",)

#: What is not needed to import the package, and what for it is.
_OPTIONAL = {"nibabel": "reads FreeSurfer's volumes and surfaces"}
#: Variables that limit the threads of linear algebra.
_THREAD_VARIABLES = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
_MISSING = "not installed"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the subcommand."""
    parser.add_argument("--json", action="store_true", help="print JSON instead of lines")


def run(args: argparse.Namespace) -> int:
    """Collect and print; return 0 if all required packages are installed, else 1."""
    found = system()
    print(json.dumps(found, indent=1) if args.json else "\n".join(_lines(found)))
    return int(None in found["required"].values())


def system() -> dict[str, Any]:
    """Collect what a report of a problem needs; the version of what is not installed is None."""
    return {
        "platform": platform.platform(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "mne-bstinv": _version("mne-bstinv"),
        "required": {name: _version(name) for name in _required()},
        "optional": {name: _version(name) for name in _OPTIONAL},
        "blas": _blas(),
        "processors": os.cpu_count(),
        "threads": {name: os.environ.get(name) for name in _THREAD_VARIABLES},
        "data": {
            "MNE_BSTINV_DATA": os.environ.get("MNE_BSTINV_DATA"),
            "folder": _folder(),
        },
    }


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _required() -> list[str]:
    """Names of the dependencies, from the metadata of the package."""
    try:
        listed = requires("mne-bstinv") or []
    except PackageNotFoundError:  # run from a copy of the source
        return ["mne", "numpy", "scipy"]
    names = [re.match(r"[\w.-]+", entry) for entry in listed if "extra ==" not in entry]
    return [name.group() for name in names if name is not None]


def _blas() -> str | None:
    """Name and version of the library that NumPy was built with; ``None`` if it does not say."""
    import numpy as np

    built: Any = np.show_config(mode="dicts")
    blas = ((built or {}).get("Build Dependencies") or {}).get("blas") or {}
    text = f"{blas.get('name', '')} {blas.get('version', '')}".strip()
    return text or None


def _folder() -> str | None:
    """Return the folder of downloads; ``None`` if it cannot be told (pooch is missing)."""
    try:
        return str(download_folder("mne_sample"))
    except ImportError:
        return None


def _lines(found: dict[str, Any]) -> list[str]:
    lines = [f"{name:<12} {found[name]}" for name in ("platform", "python", "mne-bstinv")]
    lines.append(f"{'BLAS':<12} {found['blas'] or 'unknown'}, as NumPy was built")
    limits = [f"{name}={value}" for name, value in found["threads"].items() if value]
    lines.append(f"{'processors':<12} {found['processors']}; {', '.join(limits) or 'no limit set'}")
    folder = found["data"]["folder"]
    state = "" if folder and Path(folder).is_dir() else " (does not exist yet)"
    origin = "by MNE_BSTINV_DATA" if found["data"]["MNE_BSTINV_DATA"] else "the default"
    lines.append(f"{'data':<12} {folder or 'unknown'}{state}, {origin}")
    lines += ["", "required"]
    lines += [f"  {name:<14} {v or _MISSING}" for name, v in found["required"].items()]
    lines += ["", "optional"]
    lines += [
        f"  {name:<14} {v or f'{_MISSING}: {_OPTIONAL[name]}'}"
        for name, v in found["optional"].items()
    ]
    return lines
