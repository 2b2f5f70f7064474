"""Scout time series: the estimates of a region, reduced to one time course."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._types import FloatArray
from mne_bstinv.errors import OptionError
from mne_bstinv.maps.arrays import as_files, as_map, choice
from mne_bstinv.maps.components import covariances_of_window, first_directions, towards
from mne_bstinv.maps.scout_functions import (
    SCOUT_FUNCTIONS,
    XYZ_FUNCTIONS,
    flip_signs,
    is_flipped,
    scout_value,
)
from mne_bstinv.maps.scout_rows import GridAtlasLike, ScoutRows, Scouts, scout_rows

__all__ = ["scout_row_names", "scout_time_series"]

Window = Sequence[float | None]

#: The principal components whose covariance is the one of all files.
_OF_FILES = ("pcaa", "pcai")
_FUNCTIONS = (*SCOUT_FUNCTIONS, *_OF_FILES)
#: Functions that leave as many rows as there are vertices.
_ALL_ROWS = ("all",)
#: Functions whose result of three components is one row anyway.
_ONE_ROW = ("power", "rms", "mean_norm")


def scout_time_series(
    values: ArrayLike | Sequence[ArrayLike],
    scouts: Scouts,
    *,
    function: str | None = "mean",
    normals: ArrayLike | None = None,
    n_components: int = 1,
    flip: bool = True,
    xyz: str = "none",
    grid_atlas: GridAtlasLike | None = None,
    times: ArrayLike | None = None,
    window: Window | None = None,
    baseline: Window | None = None,
    remove_dc: bool = True,
) -> FloatArray | list[FloatArray]:
    """Reduce the estimates of each scout to a time course.

    Parameters
    ----------
    values : array, shape (n_rows, n_times) | sequence of array
        The estimates; of several files a list, which share a reference under ``'pcaa'`` and
        ``'pcai'``. A kernel is multiplied with its recordings first.
    scouts : sequence of Scout | mapping of str to array
        Scouts of an atlas (``surface.atlas[i].scouts``, whose vertices count from 1), or names
        with vertices that count from 0. Vertices are taken in ascending order, each once.
    function : str | None
        ``'mean'``, ``'std'``, ``'stderr'``, ``'max'``, ``'power'``, ``'rms'``, ``'mean_norm'``,
        ``'all'``, ``'pca'``, ``'pca2023'``, ``'fastpca'``, ``'stat'``, or the principal components
        over several files ``'pcaa'`` and ``'pcai'``; None for each scout's own.
    normals : array, shape (n_vertices, 3) | None
        Normals of the whole surface (``surface.vert_normals``), for the flip of signs.
    n_components : int
        Rows a location: 1, 3, or 0 for a mixed model.
    flip : bool
        Whether to flip signs so that the sources of a scout do not cancel; see the notes. Pass
        False for power, for absolute values, and where there are no normals.
    xyz : 'none' | 'norm' | 'pca2023'
        What to make of the three components of free sources afterwards. Brainstorm's process
        flattens free sources first unless told otherwise: :func:`mne_bstinv.flatten_sources`, then
        one component.
    grid_atlas : GridAtlas | None
        The regions of a mixed model (``results.grid_atlas``).
    times : array, shape (n_times,) | None
        Times in s; needed for windows.
    window : tuple of float | None
        The window of the covariances of ``'pcaa'`` and ``'pcai'`` in s; None for all samples.
    baseline : tuple of float | None
        The window in s whose mean is removed before these; None for all samples.
    remove_dc : bool
        Whether to remove that mean.

    Returns
    -------
    array, shape (n_series, n_times) | list of array
        The series, scout after scout: one row; x, y, z for three components; all rows for
        ``'all'`` (``scout_row_names`` names them). In the unit of the values, its square for
        ``'power'``.

    Raises
    ------
    MapError
        If a scout is empty or has vertices that the map does not have, or the arrays do not fit.
    OptionError
        If an option is unknown, or signs are to be flipped without normals.

    Notes
    -----
    Of n vertices with one component (specification; rows of three components are treated one
    component at a time, unless the table says otherwise):

    ============ ====================================== ===================================
    function     one component                          three components
    ============ ====================================== ===================================
    mean         mean over the vertices
    std, stderr  standard deviation (n − 1), 0 of one
                 vertex; divided by √n
    max          the value that is largest in size      x, y, z of the largest norm
    power        mean of the squares                    mean of x² + y² + z², one row
    rms          its root                               its root, one row
    mean_norm    mean of the sizes                      mean of the norms, one row
    all          all rows, not flipped                  all rows; with ``xyz='norm'`` norms
    pca          first principal component u'·rows
                 (before 2023)
    pca2023      u'·rows / √n, Σ u ≥ 0                  with ``xyz='pca2023'`` of all 3n
                                                        rows at once
    fastpca      as pca2023 without 1/√n, of the 50
                 rows with the largest max / mean
    stat         sum by number of values that are not 0
    pcaa, pcai   as pca2023, by the covariance of all
                 files, or of each file, turned
                 towards the first
    ============ ====================================== ===================================

    A map of one component that is not positive everywhere is flipped in a scout of more than one
    vertex, for all functions but ``'all'``: the rows are multiplied with the signs of the first
    left singular vector of the vertices' normals, turned so that most are positive. Principal
    components are always taken of flipped rows if normals are given.

    Examples
    --------
    >>> import numpy as np
    >>> from mne_bstinv.maps import scout_time_series
    >>> values = np.array([[1.0, 2.0], [3.0, 6.0], [0.0, 9.0]])
    >>> scout_time_series(values, {"both": [0, 1]}, flip=False)
    array([[2., 4.]])
    """
    files, several = as_files(values)
    choice(xyz, XYZ_FUNCTIONS, "xyz")
    found = scout_rows(scouts, len(files[0]), n_components=n_components, grid_atlas=grid_atlas)
    table = None if normals is None else as_map(normals, "normals")
    parts: list[list[FloatArray]] = [[] for _ in files]
    for scout in found:
        name = _function_of(scout, function)
        blocks = [file[scout.rows] for file in files]
        own = _normals_of(scout, table, blocks, name, flip)
        if name in _OF_FILES:
            series = _of_files(
                scout,
                blocks,
                own,
                name,
                xyz,
                lambda part: covariances_of_window(
                    part, times=times, window=window, baseline=baseline, remove_dc=remove_dc
                ),
            )
        else:
            series = [
                scout_value(
                    block, name, n_components=scout.n_components, normals=own, xyz=xyz, flip=flip
                ).values
                for block in blocks
            ]
        for part, one in zip(parts, series, strict=True):
            part.append(one)
    result = [np.concatenate(part) for part in parts]
    return result if several else result[0]


def scout_row_names(
    scouts: Scouts,
    n_rows: int,
    *,
    function: str | None = "mean",
    n_components: int = 1,
    xyz: str = "none",
    grid_atlas: GridAtlasLike | None = None,
) -> list[str]:
    """Name the rows that :func:`mne_bstinv.scout_time_series` returns, as Brainstorm does.

    Parameters
    ----------
    scouts : sequence of Scout | mapping of str to array
        The scouts.
    n_rows : int
        Rows of the map.
    function : str | None
        The function; None for each scout's own.
    n_components : int
        Rows a location: 1, 3, or 0 for a mixed model.
    xyz : 'none' | 'norm' | 'pca2023'
        What is made of three components.
    grid_atlas : GridAtlas | None
        The regions of a mixed model.

    Returns
    -------
    list of str
        The name of the scout; with ``'all'`` followed by ``.`` and the vertex (which counts from
        1), with three components by ``.1``, ``.2`` and ``.3``.

    Raises
    ------
    MapError
        If a scout is empty or has vertices that the map does not have.
    OptionError
        If an option is unknown.
    """
    names = []
    for scout in scout_rows(scouts, n_rows, n_components=n_components, grid_atlas=grid_atlas):
        name = _function_of(scout, function)
        stems = [scout.label]
        if name in _ALL_ROWS:
            stems = [f"{scout.label}.{vertex + 1}" for vertex in scout.vertices]
        three = scout.n_components == 3 and xyz == "none" and name not in _ONE_ROW
        names += [f"{stem}.{i}" for stem in stems for i in (1, 2, 3)] if three else stems
    return names


def _function_of(scout: ScoutRows, function: str | None) -> str:
    name = scout.function if function is None else function
    if name is None:
        raise OptionError(f"Scout {scout.label!r} has no function of its own: give function=.")
    return choice(name, _FUNCTIONS, f"function of scout {scout.label!r}")


def _normals_of(
    scout: ScoutRows,
    normals: FloatArray | None,
    blocks: Sequence[FloatArray],
    name: str,
    flip: bool,
) -> FloatArray | None:
    """Return the scout's normals (n_vertices, 3); refuse to flip signs without them."""
    if not scout.on_surface:
        return None
    if normals is not None and scout.vertices.max() < len(normals):
        return normals[scout.vertices]
    as_one = "pca2023" if name in _OF_FILES else name
    if flip and any(is_flipped(block, as_one, scout.n_components, flip) for block in blocks):
        state = "none were given" if normals is None else f"there are {len(normals)}"
        raise OptionError(
            f"The signs of scout {scout.label!r} can only be flipped with the normals of its "
            f"vertices, but {state}: pass normals=surface.vert_normals, or flip=False."
        )
    return None


def _of_files(
    scout: ScoutRows,
    blocks: Sequence[FloatArray],
    normals: FloatArray | None,
    method: str,
    xyz: str,
    covariance: Callable[[FloatArray], FloatArray],
) -> list[FloatArray]:
    """Reduce a scout of several files by principal components with one reference."""
    n_times = [block.shape[1] for block in blocks]
    n_vertices, n = len(scout.vertices), scout.n_components
    signs = np.ones((len(blocks), n_vertices))
    for i, block in enumerate(blocks):
        if normals is not None and is_flipped(block, "pca2023", n, True):
            signs[i] = flip_signs(normals)
    # (n_components, n_vertices, n_times) a file: each component is a problem of its own
    parts = [
        block.reshape(n_vertices, n, count).transpose(1, 0, 2)
        for block, count in zip(blocks, n_times, strict=True)
    ]
    if n == 3 and xyz == "pca2023":
        parts = [block[np.newaxis] for block in blocks]
        signs = np.ones((len(blocks), 3 * n_vertices))
    flipped = [part * sign[:, np.newaxis] for part, sign in zip(parts, signs, strict=True)]
    covariances = [covariance(part) for part in flipped]
    reference = first_directions(np.mean(covariances, axis=0))
    series = []
    for part, cov in zip(flipped, covariances, strict=True):
        own = reference if method == "pcaa" else towards(first_directions(cov), reference)
        value = np.einsum("cv,cvt->ct", own, part) / np.sqrt(n_vertices)
        series.append(_norm(value) if n == 3 and xyz == "norm" else value)
    return series


def _norm(three: FloatArray) -> FloatArray:
    return np.sqrt((three**2).sum(axis=0, keepdims=True))
