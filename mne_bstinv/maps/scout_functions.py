"""One time course of the rows of a scout: Brainstorm's functions, on arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from mne_bstinv._display import Displayed
from mne_bstinv._types import FloatArray, IntArray
from mne_bstinv.errors import MapError, OptionError
from mne_bstinv.maps.arrays import as_map, choice
from mne_bstinv.maps.components import first_directions, legacy_component, principal_direction

__all__ = [
    "SCOUT_FUNCTIONS",
    "XYZ_FUNCTIONS",
    "ScoutValue",
    "bst_scout_value",
    "flip_signs",
    "is_flipped",
    "is_undecided",
    "scout_value",
]

#: Rows that the fast principal component analysis looks at.
_FAST_ROWS = 50


@dataclass(frozen=True, kw_only=True, eq=False, repr=False)
class ScoutValue(Displayed):
    """The time courses of a scout, and the weights they were made with."""

    #: (n_series, n_times): one series, or one a component, or all rows.
    values: FloatArray
    #: The weights of the rows where the function is a weighted sum: of a mean (n_vertices,); of
    #: ``pca2023`` (n_rows,), or (n_vertices, 3), one column a component; of the last step, where
    #: that is ``pca2023`` of x, y and z, (3,), or (3, n_vertices). None for other functions.
    weights: FloatArray | None = None

    def _summary(self) -> str:
        series, times = self.values.shape
        weights = "with" if self.weights is not None else "without"
        return f"{series} series × {times} times, {weights} weights"


def flip_signs(normals: ArrayLike) -> FloatArray:
    """Return the signs (n_vertices,) that make the normals (n_vertices, 3) of a scout agree.

    The sign of the first left singular vector of the normals, turned so that most are positive; 0
    counts as positive. With it sources on the two banks of a sulcus do not cancel.
    """
    array = as_map(normals, "normals")
    if array.shape[1] != 3 or not np.isfinite(array).all():
        raise MapError(
            f"normals must be finite and have the shape (n_vertices, 3), found {array.shape}."
        )
    signs = np.sign(np.linalg.svd(array, full_matrices=False)[0][:, 0])
    if (signs < 0).sum() > (signs > 0).sum():
        signs = -signs
    return np.where(signs == 0, 1.0, signs)


def is_undecided(normals: ArrayLike) -> bool:
    """Tell whether as many signs of ``flip_signs`` are positive as are negative.

    The sign of all is then that of a singular vector, which libraries of linear algebra choose: the
    series of such a scout is known up to its sign. Parcellations have about one in a hundred.
    """
    array = as_map(normals, "normals")
    return len(array) > 1 and bool(flip_signs(array).sum() == 0)


def is_flipped(rows: FloatArray, function: str, n_components: int, flip: bool) -> bool:
    """Tell whether the signs of a scout's rows are flipped before its function.

    Only rows of one component that are not all positive, of more than one vertex. A principal
    component is always taken of flipped rows, since its own sign would be arbitrary.
    """
    wanted = flip or function in _PRINCIPAL
    return (
        wanted
        and n_components == 1
        and function not in ("all", "none")
        and len(rows) > 1
        and not bool((rows > 0).all())
    )


def scout_value(
    rows: ArrayLike,
    function: str,
    *,
    n_components: int = 1,
    normals: ArrayLike | None = None,
    xyz: str = "none",
    flip: bool = False,
    covariance: ArrayLike | None = None,
) -> ScoutValue:
    """Reduce the rows of a scout, taken in the order given.

    Parameters
    ----------
    rows : array, shape (n_components * n_vertices, n_times)
        The rows: with three components x, y, z of the first vertex, then of the second, ...
    function : str
        One of ``SCOUT_FUNCTIONS``, or ``'none'`` (``xyz`` alone).
    n_components : int
        1 or 3.
    normals : array, shape (n_vertices, 3) | None
        Normals of the vertices; without them no sign is flipped.
    xyz : 'none' | 'norm' | 'pca2023'
        What to make of three components afterwards: leave them, their norm, or their principal
        component.
    flip : bool
        Whether to flip signs first.
    covariance : array, shape (n_rows, n_rows) | None
        The covariance (of the rows as given) for ``pca2023``; that of the rows themselves by
        default.

    Returns
    -------
    ScoutValue
        The series, (n_series, n_times), in the unit of the rows (squared for ``'power'``).

    Raises
    ------
    MapError
        If the arrays do not fit each other.
    OptionError
        If an option is unknown.

    Notes
    -----
    The functions are given in :func:`~mne_bstinv.scout_time_series`.
    """
    array = as_map(rows, "rows")
    name = choice(function, (*SCOUT_FUNCTIONS, "none"), "function")
    xyz = choice(xyz, XYZ_FUNCTIONS, "xyz")
    if n_components not in (1, 3) or len(array) == 0 or len(array) % n_components:
        raise MapError(f"{len(array)} rows cannot hold {n_components} components a vertex.")
    cov = None if covariance is None else _square(covariance, len(array))
    if n_components == 3:
        return _of_three(array.reshape(-1, 3, array.shape[1]), name, xyz, cov)
    signs = np.ones(len(array))
    if normals is not None and is_flipped(array, name, 1, flip):
        signs = flip_signs(normals)
        if len(signs) != len(array):
            raise MapError(f"normals of {len(signs)} vertices do not fit {len(array)} rows.")
    return _of_one(array, signs, name, cov)


def bst_scout_value(
    F: ArrayLike,
    ScoutFunction: str,
    Orient: ArrayLike | None = None,
    nComponents: int = 1,
    XyzFunction: str = "none",
    isSignFlip: bool = False,
    scoutName: str = "",
    Covar: ArrayLike | None = None,
) -> tuple[FloatArray, FloatArray | None]:
    """Reduce the rows of a scout: the drop-in for scripts that call ``bst_scout_value``.

    Parameters
    ----------
    F : array, shape (nComponents * n_vertices, n_times)
        The rows of the scout, in the order given.
    ScoutFunction : str
        ``'mean'``, ``'std'``, ``'stderr'``, ``'max'``, ``'power'``, ``'rms'``, ``'mean_norm'``,
        ``'all'``, ``'pca'``, ``'pca2023'``, ``'fastpca'``, ``'stat'`` or ``'none'``.
    Orient : array, shape (n_vertices, 3) | None
        Normals of the vertices.
    nComponents : int
        1 or 3.
    XyzFunction : str
        ``'none'``, ``'norm'`` or ``'pca2023'``.
    isSignFlip : bool
        Whether to flip signs by the normals.
    scoutName : str
        Named in errors.
    Covar : array, shape (n_rows, n_rows) | None
        The covariance for ``'pca2023'``.

    Returns
    -------
    Fs : array, shape (n_series, n_times)
        The time courses.
    PcaFirstComp : array | None
        The weights of a mean or of ``'pca2023'``; see ``ScoutValue``.

    Raises
    ------
    MapError
        If the arrays do not fit each other.
    OptionError
        If an option is unknown.

    See Also
    --------
    mne_bstinv.scout_time_series : All scouts of an atlas at once.
    """
    try:
        value = scout_value(
            F,
            ScoutFunction,
            n_components=nComponents,
            normals=Orient,
            xyz=XyzFunction,
            flip=isSignFlip,
            covariance=Covar,
        )
    except (MapError, OptionError) as error:
        raise type(error)(f"Scout {scoutName!r}: {error}" if scoutName else str(error)) from error
    return value.values, value.weights


def _square(covariance: ArrayLike, n: int) -> FloatArray:
    array = as_map(covariance, "covariance")
    if array.shape != (n, n):
        raise MapError(f"covariance must have the shape ({n}, {n}), found {array.shape}.")
    return array


def _of_one(rows: FloatArray, signs: FloatArray, name: str, cov: FloatArray | None) -> ScoutValue:
    """Reduce rows of one component (n_vertices, n_times)."""
    if name in ("all", "none"):
        return ScoutValue(values=rows)
    flipped = rows * signs[:, np.newaxis]
    if name == "mean":
        return ScoutValue(values=_mean(flipped)[np.newaxis], weights=signs / len(rows))
    if name == "pca2023":
        weights = _weights(
            flipped, len(rows), None if cov is None else cov * np.outer(signs, signs)
        )
        return ScoutValue(values=(weights @ flipped)[np.newaxis], weights=weights * signs)
    return ScoutValue(values=_ONE[name](flipped)[np.newaxis])


def _of_three(parts: FloatArray, name: str, xyz: str, cov: FloatArray | None) -> ScoutValue:
    """Reduce rows of three components, as (n_vertices, 3, n_times)."""
    n_vertices, _, n_times = parts.shape
    if name in ("all", "none"):
        return _each_vertex(parts, xyz)
    if name == "pca2023" and xyz == "pca2023":
        rows = parts.reshape(-1, n_times)
        weights = _weights(rows, n_vertices, cov)
        return ScoutValue(values=(weights @ rows)[np.newaxis], weights=weights)
    if name in _THREE_TO_ONE:
        return ScoutValue(values=_THREE_TO_ONE[name](parts)[np.newaxis])
    three, used = _each_component(parts, name, cov)
    if xyz == "norm":
        return ScoutValue(values=_norm(three)[np.newaxis], weights=used)
    if xyz == "pca2023":
        last = principal_direction(three)
        return ScoutValue(values=(last @ three)[np.newaxis], weights=last)
    return ScoutValue(values=three, weights=used)


def _each_vertex(parts: FloatArray, xyz: str) -> ScoutValue:
    """Keep the vertices: their rows, their norms, or the principal component of each."""
    if xyz == "norm":
        return ScoutValue(values=np.sqrt((parts**2).sum(axis=1)))
    if xyz == "pca2023":
        weights = np.array([principal_direction(part) for part in parts])
        return ScoutValue(values=np.einsum("vc,vct->vt", weights, parts), weights=weights.T)
    return ScoutValue(values=parts.reshape(-1, parts.shape[2]))


def _each_component(
    parts: FloatArray, name: str, cov: FloatArray | None
) -> tuple[FloatArray, FloatArray | None]:
    """Reduce each component over the vertices: (3, n_times) and the weights, if they are some."""
    n_vertices = len(parts)
    if name == "max":
        strongest = _argmax((parts**2).sum(axis=1))
        return parts[strongest, :, np.arange(parts.shape[2])].T, None
    if name == "mean":
        return parts.mean(axis=0), np.full(n_vertices, 1 / n_vertices)
    if name == "pca2023":
        blocks = [None if cov is None else cov[i::3, i::3] for i in range(3)]
        weights = [_weights(parts[:, i], n_vertices, blocks[i]) for i in range(3)]
        three = np.array([weight @ parts[:, i] for i, weight in enumerate(weights)])
        return three, np.array(weights).T
    return np.array([_ONE[name](parts[:, i]) for i in range(3)]), None


def _weights(rows: FloatArray, n_vertices: int, cov: FloatArray | None) -> FloatArray:
    """Return u / √n_vertices, u the first principal direction of the rows or of a covariance."""
    direction = principal_direction(rows) if cov is None else first_directions(cov[np.newaxis])[0]
    return direction / np.sqrt(n_vertices)


def _mean(rows: FloatArray) -> FloatArray:
    return rows.mean(axis=0)


def _std(rows: FloatArray) -> FloatArray:
    return rows.std(axis=0, ddof=1) if len(rows) > 1 else np.zeros(rows.shape[1])


def _stderr(rows: FloatArray) -> FloatArray:
    return _std(rows) / np.sqrt(len(rows))


def _max(rows: FloatArray) -> FloatArray:
    return rows[_argmax(np.abs(rows)), np.arange(rows.shape[1])]


def _argmax(sizes: FloatArray) -> IntArray:
    """Return the first row of the largest size at each time; a NaN is never the largest."""
    return np.argmax(np.nan_to_num(sizes, nan=-1.0), axis=0)


def _power(rows: FloatArray) -> FloatArray:
    return (rows**2).mean(axis=0)


def _rms(rows: FloatArray) -> FloatArray:
    return np.sqrt(_power(rows))


def _mean_norm(rows: FloatArray) -> FloatArray:
    return np.abs(rows).mean(axis=0)


def _fast_pca(rows: FloatArray) -> FloatArray:
    """Take the principal component of the rows that stand out most: maximum by mean of |x|."""
    if len(rows) > _FAST_ROWS:
        size = np.abs(rows)
        floor = np.finfo(np.float64).eps * size.min(axis=1)
        with np.errstate(invalid="ignore", divide="ignore"):
            peak = size.max(axis=1) / (size.mean(axis=1) + floor)
        # a row of zeros stands out least
        order = np.argsort(-np.nan_to_num(peak, nan=-1.0), kind="stable")
        rows = rows[order[:_FAST_ROWS]]
    return principal_direction(rows) @ rows


def _stat(rows: FloatArray) -> FloatArray:
    """Take the mean of the values that are not zero (the significant ones of a thresholded map)."""
    with np.errstate(invalid="ignore"):
        return rows.sum(axis=0) / (rows != 0).sum(axis=0)


def _norm(three: FloatArray) -> FloatArray:
    return np.sqrt((three**2).sum(axis=0))


#: Functions of one component, (n_vertices, n_times) → (n_times,).
_ONE: dict[str, Callable[[FloatArray], FloatArray]] = {
    "mean": _mean,
    "std": _std,
    "stderr": _stderr,
    "max": _max,
    "power": _power,
    "rms": _rms,
    "mean_norm": _mean_norm,
    "pca": legacy_component,
    "fastpca": _fast_pca,
    "stat": _stat,
}
#: Functions that make one series of three components, (n_vertices, 3, n_times) → (n_times,).
_THREE_TO_ONE: dict[str, Callable[[FloatArray], FloatArray]] = {
    "power": lambda parts: (parts**2).sum(axis=1).mean(axis=0),
    "rms": lambda parts: np.sqrt((parts**2).sum(axis=1).mean(axis=0)),
    "mean_norm": lambda parts: np.sqrt((parts**2).sum(axis=1)).mean(axis=0),
}
#: Functions whose sign would be arbitrary without a flip.
_PRINCIPAL = ("pca", "pca2023", "fastpca")
#: The functions, by Brainstorm's names.
SCOUT_FUNCTIONS = (*_ONE, "pca2023", "all")
#: What is made of three components afterwards, by Brainstorm's names.
XYZ_FUNCTIONS = ("none", "norm", "pca2023")
