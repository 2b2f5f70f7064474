"""Put two kernels into one order of channels and locations, or list all that does not match."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mne_bstinv._display import Displayed, few
from mne_bstinv._types import IntArray
from mne_bstinv.compare.kernel import Kernel
from mne_bstinv.errors import ComparisonError

__all__ = ["Alignment", "align_kernels", "match_names"]


#: Two positions are one location within this distance, in m: a micrometre is far below any spacing
#: of sources and far above the rounding of positions stored in single precision (1e-8 m).
SAME_POSITION = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment(Displayed):
    """Two kernels in the same order of channels and locations, that of the first.

    Parameters
    ----------
    a, b : Kernel
        The aligned kernels; those given where nothing had to change.
    notes : tuple of str
        What was reordered, matched by other than its exact name or id, or left out.
    n_left_out : int
        Locations left out because one of the kernels is NaN there.
    n_one_sided : int
        Those of them where only one kernel is: there the two do not agree.
    """

    a: Kernel
    b: Kernel
    notes: tuple[str, ...]
    n_left_out: int
    n_one_sided: int = 0

    def __repr__(self) -> str:
        return (
            f"<Alignment | {self.a.name} and {self.b.name}, {self.a.n_locations} locations, "
            f"{self.a.n_channels} channels, {self.n_left_out} left out, {len(self.notes)} note(s)>"
        )


def align_kernels(a: Kernel, b: Kernel) -> Alignment:
    """Align the second of two kernels to the first.

    Channels are matched by their exact name, the remaining ones without regard to case and white
    space (``'MEG 0113'`` is ``'MEG0113'``). Locations are matched by id; if the two have no id in
    common but positions both, by position to within 1e-6 m. Locations at which either kernel has a
    NaN are left out.

    Parameters
    ----------
    a, b : Kernel
        The kernels.

    Returns
    -------
    Alignment
        Both kernels in the order of ``a``, and notes of what was done.

    Raises
    ------
    ComparisonError
        If the numbers of components differ, a channel or location of one is missing in the other,
        or positions of the same locations are not those of one grid in two frames; one message
        lists all of it. Or if no location is left.
    """
    faults: list[str] = []
    notes: list[str] = [*a.notes, *b.notes]
    if a.n_components != b.n_components:
        faults.append(
            f"{a.name} has {a.n_components} component(s) a location, {b.name} {b.n_components}."
        )
    channels = _match_channels(a, b, faults, notes)
    locations = _match_locations(a, b, faults, notes)
    if faults:
        raise ComparisonError(
            "\n  - ".join([f"Kernels {a.name!r} and {b.name!r} cannot be compared:", *faults])
            + "\nGive both with the same channels and locations (Kernel.select takes some of them)."
        )
    b = b.select(channels=channels, locations=locations)
    seen, n_one_sided = _seen(a, b, notes)
    every = np.arange(a.n_channels)
    return Alignment(
        a=a.select(channels=every, locations=seen),
        b=b.select(channels=every, locations=seen),
        notes=tuple(notes),
        n_left_out=a.n_locations - len(seen),
        n_one_sided=n_one_sided,
    )


def match_names(wanted: Sequence[str], available: Sequence[str]) -> IntArray:
    """Return positions (len(wanted),) among others, −1 where none or no single one matches.

    Exactly, then without regard to case and white space; names occur once in each list.
    """
    exact = {name: i for i, name in enumerate(available)}
    found = np.array([exact.get(name, -1) for name in wanted], dtype=np.int64)
    taken = set(found.tolist())
    rest = _unique_keys({i: _folded(n) for i, n in enumerate(wanted) if found[i] < 0})
    free = _unique_keys({i: _folded(n) for i, n in enumerate(available) if i not in taken})
    for key, position in rest.items():
        found[position] = free.get(key, -1)
    return found


def _folded(name: str) -> str:
    return "".join(name.split()).casefold()


def _unique_keys(keys: Mapping[int, str]) -> dict[str, int]:
    """Positions by key, of the keys that occur once: the others are ambiguous."""
    counts = Counter(keys.values())
    return {key: position for position, key in keys.items() if counts[key] == 1}


def _match_channels(a: Kernel, b: Kernel, faults: list[str], notes: list[str]) -> IntArray:
    found = match_names(a.channel_names, b.channel_names)
    _report_missing(
        "channel(s)",
        [n for n, i in zip(a.channel_names, found, strict=True) if i < 0],
        [n for i, n in enumerate(b.channel_names) if i not in set(found.tolist())],
        (a, b),
        faults,
    )
    spelled = [
        f"{n!r} = {b.channel_names[i]!r}"
        for n, i in zip(a.channel_names, found, strict=True)
        if i >= 0 and n != b.channel_names[i]
    ]
    if spelled:
        notes.append(f"{len(spelled)} channel(s) are spelled differently: {few(spelled)}")
    _note_order("channels", found, (a, b), notes)
    return found


def _match_locations(a: Kernel, b: Kernel, faults: list[str], notes: list[str]) -> IntArray:
    common = np.intersect1d(a.locations, b.locations)
    if common.size or a.positions is None or b.positions is None:
        order = np.argsort(b.locations)
        place = np.minimum(np.searchsorted(b.locations, a.locations, sorter=order), len(order) - 1)
        found = np.where(b.locations[order[place]] == a.locations, order[place], -1)
        where = "(0-based ids)"
    else:
        found = _match_positions(a, b, notes)
        where = "(0-based ids, matched by position)"
    missing = np.setdiff1d(np.arange(b.n_locations), found)
    before = len(faults)
    _report_missing(
        f"location(s) {where}", a.locations[found < 0], b.locations[missing], (a, b), faults
    )
    if len(faults) == before:
        _note_order("locations", found, (a, b), notes)
        _check_positions(a, b, found, faults, notes)
    return found


def _match_positions(a: Kernel, b: Kernel, notes: list[str]) -> IntArray:
    """Nearest locations that are each other's, within :data:`SAME_POSITION`."""
    from scipy.spatial import KDTree  # late: it slows the import of the package

    distances, found = KDTree(b.positions).query(a.positions)
    back = KDTree(a.positions).query(b.positions)[1]
    mutual = back[found] == np.arange(a.n_locations)
    notes.append(
        f"The ids of the locations of {a.name} and {b.name} have nothing in common: locations "
        f"were matched by position, to within {SAME_POSITION:g} m"
    )
    matched: IntArray = np.where(mutual & (distances <= SAME_POSITION), found, -1)
    return matched


def _report_missing(
    what: str,
    only_a: Sequence[object] | IntArray,
    only_b: Sequence[object] | IntArray,
    kernels: tuple[Kernel, Kernel],
    faults: list[str],
) -> None:
    a, b = kernels
    for missing, has, lacks in ((only_a, a, b), (only_b, b, a)):
        if len(missing):
            faults.append(
                f"{len(missing)} {what} of {has.name} are missing in {lacks.name}: {few(missing)}."
            )


def _note_order(
    what: str, found: IntArray, kernels: tuple[Kernel, Kernel], notes: list[str]
) -> None:
    if (found >= 0).all() and not np.array_equal(found, np.arange(len(found))):
        a, b = kernels
        notes.append(f"The {what} of {b.name} were put in the order of {a.name}")


def _check_positions(
    a: Kernel, b: Kernel, found: IntArray, faults: list[str], notes: list[str]
) -> None:
    """Allow positions in another frame, which keeps the distances; nothing else."""
    if a.positions is None or b.positions is None:
        return
    ours, theirs = a.positions, b.positions[found]
    largest = np.linalg.norm(ours - theirs, axis=1).max()
    from_centre = [np.linalg.norm(p - p.mean(axis=0), axis=1) for p in (ours, theirs)]
    moved = np.flatnonzero(np.abs(from_centre[0] - from_centre[1]) > SAME_POSITION)
    if moved.size:
        faults.append(
            f"{moved.size} location(s) of the same id are at other positions (up to "
            f"{1e3 * largest:.3g} mm, and not only in another frame): other locations, another "
            f"order, or another unit than m. First (0-based ids): {few(a.locations[moved])}."
        )
    elif largest > SAME_POSITION:
        notes.append(
            f"Positions of the same locations differ by up to {1e3 * largest:.3g} mm, as in "
            f"another frame: distances are those between the positions of {b.name}"
        )


def _seen(a: Kernel, b: Kernel, notes: list[str]) -> tuple[IntArray, int]:
    """Positions of the locations at which neither kernel has a NaN, and where only one has."""
    unseen = [np.isnan(k.matrix).reshape(k.n_locations, -1).any(axis=1) for k in (a, b)]
    left_out = unseen[0] | unseen[1]
    if left_out.all():
        raise ComparisonError(
            f"No location is left to compare: {a.name} is NaN at {unseen[0].sum()}, {b.name} at "
            f"{unseen[1].sum()} of {a.n_locations} locations. Compute them with a gain that is "
            "above 0 somewhere."
        )
    if left_out.any():
        notes.append(
            f"{left_out.sum()} location(s) were left out: {a.name} is NaN at {unseen[0].sum()}, "
            f"{b.name} at {unseen[1].sum()}"
        )
    return np.flatnonzero(~left_out), int((unseen[0] ^ unseen[1]).sum())
