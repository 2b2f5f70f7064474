"""Positions in no metres are known by their size, everywhere the same."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import mne
import numpy as np
import pytest
from io_helpers import differences
from schema_samples import POSITIONS, Place, leaves, samples, structures

from mne_bstinv import (
    conversion_report,
    convert_file,
    io,
    to_forward,
    to_info,
    to_labels,
    to_source_spaces,
)
from mne_bstinv.cli import main
from mne_bstinv.errors import FrameError, OptionError
from mne_bstinv.io.schema import from_mat
from mne_bstinv.port import port_protocol
from mne_bstinv.studies.units import UNITS, converting, in_metres, unit_of

CASES = Path(__file__).parents[1] / "data" / "cases"
FACTORS = {"mm": 1e3, "cm": 1e2, "km": 1e-3}


@pytest.fixture(scope="module")
def study(data_dir):
    folder = data_dir / "eeg_shared"
    protocol = io.read_protocol(folder)
    (subject,) = protocol.subjects
    condition = next(c for c in subject.conditions if c.head_model_file)
    return {
        "channels": io.read_channels(condition.channel_file),
        "head_model": io.read_head_model(condition.head_model_file),
        "surface": io.read_surface(subject.cortex),
    }


def scaled(structure, factor):
    if isinstance(structure, io.Surface):
        return dataclasses.replace(structure, vertices=structure.vertices * factor)
    if isinstance(structure, io.HeadModel):
        return dataclasses.replace(structure, grid_loc=structure.grid_loc * factor)
    channels = tuple(
        c if c.loc is None else dataclasses.replace(c, loc=c.loc * factor)
        for c in structure.channels
    )
    points = structure.head_points
    if points is not None and points.loc is not None:
        points = dataclasses.replace(points, loc=points.loc * factor)
    scs = structure.scs
    if scs is not None and scs.has_fiducials:
        scs = dataclasses.replace(
            scs, nas=scs.nas * factor, lpa=scs.lpa * factor, rpa=scs.rpa * factor
        )
    return dataclasses.replace(structure, channels=channels, head_points=points, scs=scs)


@pytest.mark.parametrize(
    ("reach", "unit"),
    [(0.09, "m"), (0.4, "m"), (0.02, "m"), (9.0, "cm"), (95.0, "mm"), (250.0, "mm"),
     (9e-5, "km"), (5000.0, None), (1e-7, None)],
)  # fmt: skip
def test_unit_of(reach, unit):
    directions = np.random.default_rng(0).standard_normal((50, 3))
    positions = reach * directions / np.linalg.norm(directions, axis=1, keepdims=True)
    assert unit_of(positions) == unit
    positions[:3] = 0
    positions[3] = np.nan
    assert unit_of(positions) == unit
    assert unit_of(np.zeros((4, 3))) == "m"


@pytest.mark.parametrize("name", ["channels", "head_model", "surface"])
def test_metres_stay_as_they_are(study, name):
    for units in (None, *UNITS):
        assert in_metres(study[name], units) is study[name]


def test_size_of_a_structure_is_found_once_and_again_of_its_copies(study, monkeypatch):
    structure = in_metres(dataclasses.replace(study["surface"]))
    fail = pytest.fail
    monkeypatch.setattr("mne_bstinv.studies.units.unit_of", lambda *_: fail("measured again"))
    assert in_metres(structure, "mm") is structure
    monkeypatch.undo()
    with pytest.raises(FrameError, match="look like mm"):
        in_metres(dataclasses.replace(structure, vertices=1e3 * structure.vertices))


@pytest.mark.parametrize("name", ["channels", "head_model", "surface"])
@pytest.mark.parametrize("units", FACTORS)
def test_other_units_are_refused_or_converted(study, name, units):
    structure = scaled(study[name], FACTORS[units])
    words = rf"expected are metres .* these look like {units}\. Convert them with units='{units}'"
    with pytest.raises(FrameError, match=words):
        in_metres(structure)
    other = next(one for one in FACTORS if one != units)
    with pytest.raises(FrameError, match=f"look like {units}, not {other}"):
        in_metres(structure, other)
    found = in_metres(structure, units)
    assert {f.severity for f in conversion_report(found)} == {"assumed"}
    assert f"positions in {units}, converted to metres" in str(conversion_report(found))
    back = scaled(found, FACTORS[units])
    for a, b in zip(_arrays(back), _arrays(structure), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-14)
    with converting(units):
        assert differences(in_metres(structure), found) == []
    with pytest.raises(FrameError):
        in_metres(structure)


def _arrays(structure):
    if isinstance(structure, io.Surface):
        return [structure.vertices]
    if isinstance(structure, io.HeadModel):
        return [structure.grid_loc]
    return [c.loc for c in structure.channels if c.loc is not None]


def test_no_unit_at_all(study):
    with pytest.raises(FrameError, match="which is no size of a head in any unit"):
        in_metres(scaled(study["surface"], 1e5))
    with pytest.raises(OptionError, match="Unknown units 'inch'"):
        in_metres(study["surface"], "inch")


CONVERSIONS = {
    "to_info": lambda s, **k: to_info(s["channels"], sfreq=100.0, **k),
    "to_forward": lambda s, **k: to_forward(
        s["head_model"], s["channels"], surface=s["surface"], **k
    ),
    "to_source_spaces": lambda s, **k: to_source_spaces(
        s["head_model"], s["surface"], channels=s["channels"], **k
    ),
}


@pytest.mark.parametrize("conversion", CONVERSIONS)
@pytest.mark.parametrize("name", ["channels", "head_model", "surface"])
def test_conversions_refuse_or_convert(study, conversion, name):
    convert = CONVERSIONS[conversion]
    if conversion == "to_info" and name != "channels":
        pytest.skip("it takes no positions but those of the channels")
    changed = study | {name: scaled(study[name], 1e3)}
    with pytest.raises(FrameError, match="look like mm"):
        convert(changed)
    found, expected = convert(changed, units="mm"), convert(study)
    assert "positions in mm, converted to metres" in str(conversion_report(found))
    if conversion == "to_info":
        for a, b in zip(found["chs"], expected["chs"], strict=True):
            np.testing.assert_allclose(a["loc"], b["loc"], atol=1e-12)
    elif conversion == "to_forward":
        np.testing.assert_allclose(found["sol"]["data"], expected["sol"]["data"], rtol=1e-9)
        np.testing.assert_allclose(found["source_rr"], expected["source_rr"], atol=1e-12)
    else:
        for a, b in zip(found, expected, strict=True):
            np.testing.assert_allclose(a["rr"], b["rr"], atol=1e-12)


def test_labels_of_a_surface_in_millimetres(study):
    with pytest.raises(FrameError, match="look like mm"):
        to_labels(scaled(study["surface"], 1e3))


def test_electrodes_in_millimetres():
    channels = io.read_channels(CASES / "c20_channel_mm.mat")
    with pytest.raises(FrameError, match=r"Channel\.Loc reaches .* look like mm"):
        to_info(channels, sfreq=100.0)
    info = to_info(channels, sfreq=100.0, units="mm")
    picks = mne.pick_types(info, eeg=True)
    radii = np.linalg.norm([info["chs"][i]["loc"][:3] for i in picks], axis=1)
    assert 0.05 < np.median(radii) < 0.15


def test_coils_that_do_not_fit_are_no_detail():
    """The second coil of CTF gradiometers ten times too far."""
    channels = io.read_channels(CASES / "c03_channel_ctf_second_coil_x10.mat")
    report = conversion_report(to_info(channels, sfreq=100.0))
    loud = [f for f in report.of("assumed") if f.field == "Channel.Loc"]
    assert any("largest residual" in f.reason and "are not its" in f.reason for f in loud)


@pytest.fixture
def in_millimetres(data_dir, tmp_path):
    """A protocol whose sensors, locations and surfaces are in mm."""
    folder = shutil.copytree(data_dir / "eeg_shared", tmp_path / "protocol")
    for start, noun in (("channel", "channels"), ("headmodel", "head_model"), ("tess", "surface")):
        for file in folder.rglob(f"{start}*.mat"):
            structure = scaled(getattr(io, f"read_{noun}")(file), 1e3)
            getattr(io, f"write_{noun}")(file, structure, overwrite=True)
    return folder


def test_a_port(in_millimetres, tmp_path):
    report = port_protocol(in_millimetres, tmp_path / "out", estimates="none")
    assert not report.success
    assert "look like mm" in str(report)
    again = port_protocol(in_millimetres, tmp_path / "out", estimates="none", units="mm")
    assert again.success
    assert "positions in mm, converted to metres" in "\n".join(map(str, again.findings))
    kept = port_protocol(in_millimetres, tmp_path / "out", estimates="none", units="mm")
    assert len(kept.kept) == len(kept.units)
    with pytest.raises(OptionError, match="Unknown units"):
        port_protocol(in_millimetres, tmp_path / "out", units="feet")


def test_one_file(in_millimetres, tmp_path, capsys):
    file = next(in_millimetres.rglob("channel*.mat"))
    with pytest.raises(FrameError, match="look like mm"):
        convert_file(file, tmp_path / "x-info.fif")
    assert main(["convert", str(file), str(tmp_path / "x-info.fif"), "--units", "mm"]) == 0
    info = mne.io.read_info(tmp_path / "x-info.fif", verbose="error")
    radii = [np.linalg.norm(ch["loc"][:3]) for ch in info["chs"] if ch["loc"][:3].any()]
    assert np.nanmedian(radii) < 0.2


def geometry() -> list[Place]:
    """Every field of every kind of file whose unit is m or mm."""
    every = (place for cls in structures().values() for _, found in samples(cls) for place in found)
    return [place for place in every if place.item.spec.unit in ("m", "mm")]


#: What is moved with a field: points of one frame, the spheres of a channel.
TOGETHER = {"scs": ("nas", "lpa", "rpa"), "radii": ("radii", "center")}

#: Geometry of which only great values tell: a shift may be next to nothing, voxels are as small as
#: 0.1 mm and as large as a centimetre.
LARGE_ONLY = ("Center", "TransfMeg", "TransfEeg")


def spoilt(structure, place: Place, factor: float):
    """The structure with a field multiplied, in all elements."""
    outer, *inner = place.attributes
    value = getattr(structure, outer)
    if isinstance(value, tuple) and inner:
        changed = tuple(_times(one, factor, *TOGETHER.get(inner[0], inner)) for one in value)
    elif outer in TOGETHER:
        changed = _times(value, factor, *TOGETHER[outer])
    elif inner:
        changed = _times(value, factor, *inner)
    elif isinstance(value, tuple):
        shift = np.diag([1.0, 1, 1, 1 / factor])  # 4 x 4: the last row is made 0 0 0 1 again
        changed = tuple(_shifted(one, shift) for one in value)
    else:
        changed = value * factor
    return dataclasses.replace(structure, **{outer: changed})


def _times(structure, factor, *names):
    values = {name: getattr(structure, name) for name in names}
    return dataclasses.replace(structure, **{n: v * factor for n, v in values.items()})


def _shifted(matrix, shift):
    moved = np.array(matrix)
    moved[:3, 3] /= shift[3, 3]
    return moved


@pytest.fixture(scope="module")
def whole():
    """A structure of every kind with every field; transforms and fiducials of a head."""
    found = {}
    for name, cls in structures().items():
        variables, _ = next(samples(cls))
        found[name] = from_mat(cls, variables, name)
    shift = np.eye(4)
    shift[:3, 3] = 0.003, 0.01, 0.05
    found["Channels"] = dataclasses.replace(
        found["Channels"], transf_meg=(shift, shift), transf_eeg=(shift, shift)
    )
    scs = dict(zip(("nas", "lpa", "rpa"), 1e3 * POSITIONS[:3] + 120, strict=True))
    found["Mri"] = dataclasses.replace(
        found["Mri"], scs=dataclasses.replace(found["Mri"].scs, **scs)
    )
    return found


def test_geometry_is_declared():
    names = {str(place) for place in geometry()}
    assert {"Channels.Channel.Loc", "Channels.HeadPoints.Loc", "Channels.SCS", "Surface.Vertices",
            "HeadModel.GridLoc", "HeadModel.Param.Center", "Results.GridLoc", "Statistics.GridLoc",
            "TimeFreq.GridLoc", "Dipoles.Dipole.Loc", "Mri.SCS", "Channels.TransfMeg",
            "Mri.Voxsize"} <= names  # fmt: skip


@pytest.mark.parametrize("place", geometry(), ids=str)
@pytest.mark.parametrize("units", ["mm", "cm", "km", "m"])
def test_each_geometry_field_is_checked(whole, place, units):
    """Refused with the remedy, or converted to what it was."""
    intact = whole[place.cls.__name__]
    declared = place.item.spec.unit
    assert in_metres(intact) is intact
    name = place.attributes[-1]
    follows = str(place).startswith("Mri.NCS")
    untold = (units == "km" and place.item.spec.name in LARGE_ONLY) or (
        name == "voxsize" and units != "m"
    )
    if units == declared or follows or untold:
        return
    wrong = spoilt(intact, place, UNITS[declared] / UNITS[units])
    words = rf"{place.items[0].spec.name}[.\w]* reaches .* from the origin.*--units"
    with pytest.raises(FrameError, match=words):
        in_metres(wrong)
    found = in_metres(wrong, units)
    converted = [f.field for f in conversion_report(found)]
    assert any(field.endswith(place.item.spec.name) for field in converted)
    assert len(converted) == len(set(converted))
    for (where, mine), (_, theirs) in zip(leaves(found), leaves(intact), strict=True):
        if isinstance(theirs, np.ndarray):
            if where[0] == "ncs" or where in (("scs", "t"), ("scs", "origin")):
                continue  # they go with the fiducials
            np.testing.assert_allclose(mine, theirs, rtol=1e-12, err_msg=str(where))
