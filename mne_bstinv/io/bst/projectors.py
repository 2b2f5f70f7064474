"""The projectors of ``.bst`` files, in both directions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mne_bstinv._types import FloatArray
from mne_bstinv.io.bst.source import COMMENT, Sink, Source
from mne_bstinv.io.projectors import Projector

__all__ = ["put_projectors", "take_projectors"]

#: First version that tells the method of a projector, and its bytes.
_METHODS, _METHOD = 53, 20
#: Bytes of a projector without components.
_PROJECTOR = COMMENT + 25
#: Methods that singular values may spell.
_SPELT = ("ICA", "REF")


def take_projectors(source: Source, version: int) -> tuple[Projector, ...]:
    """Read the projectors; their number is checked before memory is spent on it."""
    source.field = "Projector"
    n = source.u32()
    source.need(n * _PROJECTOR, f"{n} projectors, which")
    return tuple(_take_projector(source, number, version) for number in range(1, n + 1))


def _take_projector(source: Source, number: int, version: int) -> Projector:
    source.field = f"Projector({number})"
    comment = source.text(COMMENT)
    components, mask, values = source.matrix(), source.matrix(), source.matrix()
    status = source.i8()
    text = _text_of(values)
    numbers = values.reshape(-1) if values.size and text is None else None
    method = source.text(_METHOD) if version >= _METHODS else _guess(text, values, mask)
    return Projector(
        comment=comment,
        components=components if components.size else None,
        comp_mask=(mask.reshape(-1) != 0).astype(np.int64) if mask.size else None,
        sing_val=text if text is not None and version >= _METHODS else numbers,
        status=status,
        method=method or None,
    )


def _text_of(values: FloatArray) -> str | None:
    """Return ``'ICA'`` or ``'REF'``, if that is what the numbers spell."""
    codes = values.reshape(-1)
    if codes.size != 3 or not np.all((codes >= 65) & (codes <= 90) & (codes == np.floor(codes))):
        return None
    text = "".join(chr(int(code)) for code in codes)
    return text if text in _SPELT else None


def _guess(text: str | None, values: FloatArray, mask: FloatArray) -> str:
    """Return the method of a projector of a version that does not tell."""
    if text is not None:
        return text
    if values.size == mask.size:
        return "SSP_pca"
    return "SSP_mean" if values.size == 0 and mask.size == 1 and mask.item() == 1 else ""


def put_projectors(sink: Sink, projectors: Sequence[Projector], version: int) -> None:
    """Write the projectors."""
    sink.pack("I", len(projectors))
    for projector in projectors:
        _put_projector(sink, projector, version)


def _put_projector(sink: Sink, projector: Projector, version: int) -> None:
    sink.text(projector.comment, COMMENT, "the comment of a projector:")
    sink.matrix(projector.components)
    mask, values = projector.comp_mask, projector.sing_val
    sink.matrix(None if mask is None else mask[None].astype(np.float64))
    if version < _METHODS and values is None and projector.method in _SPELT:
        values = projector.method
    if isinstance(values, str):
        values = np.array([float(ord(letter)) for letter in values])
    sink.matrix(None if values is None else values[None])
    sink.pack("b", projector.status)
    if version >= _METHODS:
        sink.text(projector.method or "", _METHOD, "the method of a projector:")
