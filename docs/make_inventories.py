"""Write the inventories of other sites with the names that the pages link to.

Inventories (``objects.inv``) are what Sphinx finds the pages of other projects with. They lie on
the sites themselves, and the documentation is built without a network. Every page of MNE-Python's,
NumPy's and SciPy's reference has the address ``FOLDER/NAME.html#NAME``, so that a list of names is
enough; it is :data:`NAMES`. A link to a name that is missing here fails the build: add it.
"""

from __future__ import annotations

import zlib
from pathlib import Path

#: The sites, by the name of the inventory.
SITES = {
    "mne": "https://mne.tools/stable/",
    "numpy": "https://numpy.org/doc/stable/",
    "scipy": "https://docs.scipy.org/doc/scipy/",
}
#: Folder of the reference in each site.
FOLDERS = {"mne": "generated", "numpy": "reference/generated", "scipy": "reference/generated"}
#: What there is to link to, by the role in Sphinx's Python domain.
NAMES = {
    "mne": {
        "class": [
            "mne.Covariance",
            "mne.Epochs",
            "mne.EpochsArray",
            "mne.Evoked",
            "mne.EvokedArray",
            "mne.Forward",
            "mne.Info",
            "mne.Label",
            "mne.Report",
            "mne.SourceEstimate",
            "mne.SourceSpaces",
            "mne.Transform",
            "mne.io.Raw",
            "mne.io.RawArray",
            "mne.minimum_norm.InverseOperator",
        ],
        "function": [
            "mne.beamformer.make_lcmv",
            "mne.compute_rank",
            "mne.convert_forward_solution",
            "mne.cov.regularize",
            "mne.compute_covariance",
            "mne.events_from_annotations",
            "mne.inverse_sparse.mixed_norm",
            "mne.make_bem_model",
            "mne.minimum_norm.apply_inverse",
            "mne.minimum_norm.estimate_snr",
            "mne.minimum_norm.make_inverse_operator",
            "mne.read_labels_from_annot",
            "mne.read_source_morph",
            "mne.setup_volume_source_space",
            "mne.viz.plot_alignment",
        ],
    },
    "numpy": {
        "class": ["numpy.ndarray"],
        "function": ["numpy.allclose", "numpy.linalg.pinv", "numpy.linalg.svd"],
    },
    "scipy": {
        "class": ["scipy.sparse.csc_array"],
        "function": ["scipy.io.loadmat", "scipy.io.savemat"],
    },
}
#: Methods, which stand on the page of their class.
METHODS = {
    "mne": ["mne.SourceEstimate.plot", "mne.io.Raw.set_annotations"],
    "numpy": [],
    "scipy": [],
}


def write_inventories(folder: Path) -> None:
    """Write one inventory a site.

    Parameters
    ----------
    folder : Path
        Folder for the files ``NAME.inv``; made if it does not exist.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for site in SITES:
        (folder / f"{site}.inv").write_bytes(inventory(site))


def inventory(site: str) -> bytes:
    """Return an inventory in version 2 of Sphinx's format.

    Parameters
    ----------
    site : str
        Name of the site.

    Returns
    -------
    bytes
        Four lines of text, then the entries, compressed.
    """
    pages = [(name, role, name) for role, names in NAMES[site].items() for name in names]
    pages += [(name, "method", name.rpartition(".")[0]) for name in METHODS[site]]
    head = (
        f"# Sphinx inventory version 2\n# Project: {site}\n# Version: \n"
        "# The remainder of this file is compressed using zlib.\n"
    )
    entries = "".join(
        f"{name} py:{role} 1 {FOLDERS[site]}/{page}.html#{name} -\n" for name, role, page in pages
    )
    return head.encode() + zlib.compress(entries.encode())
