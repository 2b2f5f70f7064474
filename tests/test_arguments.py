"""Arguments that are declared as structures or objects of MNE: another kind is refused by name."""

from __future__ import annotations

import inspect
from pathlib import Path

import numpy as np
import pytest

import mne_bstinv as mb
from mne_bstinv import io
from mne_bstinv._arguments import declared_kinds, numbers_in
from mne_bstinv.conversion import converts, is_conversion
from mne_bstinv.errors import ConversionError, OptionError
from mne_bstinv.io.mat import PathLike

CONVERSIONS = {
    name: function
    for name in mb.__all__
    if inspect.isfunction(function := getattr(mb, name)) and is_conversion(function)
}
DECLARED = {name: declared_kinds(function) for name, function in CONVERSIONS.items()}


def test_most_conversions_declare_kinds() -> None:
    assert len([name for name, found in DECLARED.items() if found]) > 30


@pytest.mark.parametrize(
    ("name", "argument"), [(name, one.name) for name, found in DECLARED.items() for one in found]
)
def test_every_conversion_names_what_it_cannot_take(name: str, argument: str) -> None:
    words = rf"^{name}: {argument} must be .*, found bytes b'x.mat'\.$"
    with pytest.raises(ConversionError, match=words):
        CONVERSIONS[name](**{argument: b"x.mat"})


@converts
def conversion(
    channels: io.Channels, other: io.Mri | str | None, several: list[io.Mri], *, mri: io.Mri
) -> str:
    return "converted"


def test_arguments_by_place_and_by_name(data_dir) -> None:
    channels = io.read_channels(next(data_dir.rglob("channel*.mat")))
    mri = io.read_mri(next(data_dir.rglob("subjectimage*.mat")))
    for other in (None, "a", mri):
        assert conversion(channels, other, [mri], mri=mri) == "converted"
    with pytest.raises(ConversionError, match=r"channels must be Channels, .*, found Mri"):
        conversion(mri, channels, [], mri=mri)
    with pytest.raises(ConversionError, match=r"other must be Mri or str, .*, found Channels"):
        conversion(channels, channels, [], mri=mri)
    with pytest.raises(ConversionError, match=r"mri must be Mri, .*, found NoneType"):
        conversion(channels, None, [], mri=None)
    with pytest.raises(
        ConversionError, match=r"several must be a sequence of Mri, .*, found list of Mri, str\."
    ):
        conversion(channels, None, [mri, "x"], mri=mri)
    with pytest.raises(ConversionError, match=r"several must be .*, found Mri\."):
        conversion(channels, None, mri, mri=mri)
    with pytest.raises(TypeError, match="missing 1 required keyword-only argument: 'mri'"):
        conversion(channels, None, [])


@converts
def plain(text: str, number: float = 0.0, *, count: int | None = None, file: PathLike = "a") -> str:
    return "converted"


def test_plain_values() -> None:
    for number in (1, 1.5, np.float32(1), np.array(2)):
        assert plain("a", number, count=2, file=Path("a")) == "converted"
    for count in (np.int64(2), 2.0, None):
        assert plain("a", count=count) == "converted"
    for wrong, words in (
        ({"text": 1}, "text must be str, found int 1"),
        ({"text": None}, "text must be str, found NoneType"),
        ({"number": "1"}, "number must be float, found str '1'"),
        ({"number": np.ones(2)}, "number must be float, found ndarray"),
        ({"count": 2.5}, "count must be int, found float 2.5"),
        ({"file": 1}, "file must be str or PathLike, found int 1"),
    ):
        with pytest.raises(ConversionError, match=rf"^plain: {words}\.$") as raised:
            plain(**{"text": "a", **wrong})
        assert isinstance(raised.value, OptionError)  # many of them are options


@pytest.mark.parametrize("value", ["x", object(), [[1], [1, 2]], 3j])
def test_what_is_no_array_of_numbers(value: object) -> None:
    with pytest.raises(ConversionError, match=r"^x must be an array of numbers, found "):
        numbers_in("x", value)
    assert numbers_in("x", [[1], [2]]).dtype == np.float64


def test_objects_of_mne(data_dir) -> None:
    """The messages of those who do not read structures say nothing of files."""
    info = mb.to_info(io.read_channels(next(data_dir.rglob("channel*.mat"))), sfreq=100)
    for convert, argument in ((mb.from_evoked, "evoked must be Evoked"),
                              (mb.from_epochs, "epochs must be BaseEpochs"),
                              (mb.from_forward, "fwd must be Forward"),
                              (mb.inverse_parameters, "inv must be InverseOperator")):  # fmt: skip
        with pytest.raises(
            ConversionError, match=rf"^{convert.__name__}: {argument}, found Info\.$"
        ):
            convert(info)
