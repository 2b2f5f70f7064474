"""One odd field does not cost the file: it is left out, said, and written back as it was."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
from io_helpers import cell, differences, mat_files, save, structs
from mat5_bytes import array, doubles, number, sparse
from scipy.sparse import csc_array

from mne_bstinv import conversion_report, io
from mne_bstinv.conversion import hearing
from mne_bstinv.errors import BstInvError
from mne_bstinv.io import mat
from mne_bstinv.io.kinds import Raw
from mne_bstinv.io.schema import from_mat, specs
from mne_bstinv.io.variable import Unreadable, Variable

CASES = Path(__file__).parents[1] / "data" / "cases"

#: Values that no field expects, whatever it is.
ODD = {
    "a function handle": Variable(Unreadable("a function handle"), (1, 1), "function_handle"),
    "text": Variable("odd", (1, 3), "char"),
    "a number": Variable(-7.5, (1, 1), "double"),
    "infinity": Variable(np.inf, (1, 1), "double"),
    "a struct": Variable({"odd": 1.0}, (1, 1), "struct"),
    "a cell": Variable([[1.0, "odd"], [2.0, 3.0]], (2, 2), "cell"),
    "an array": Variable(np.full((2, 7, 3), 1e20), (2, 7, 3), "double"),
    "NaN": Variable(np.full((5, 2), np.nan), (5, 2), "double"),
    "complex": Variable(np.full((2, 2), 1j), (2, 2), "double"),
    "sparse": Variable(csc_array(np.eye(3)), (3, 3), "sparse"),
}


#: What goes with a field that is left out.
DEPENDENT = {"TransfEeg": ["transf_eeg_labels"], "TransfMeg": ["transf_meg_labels"],
             "SourceDecompSa": ["source_decomp_va"]}  # fmt: skip


def one_of_each_kind(data_dir: Path) -> Iterator[tuple[Path, Any]]:
    seen: dict[str, tuple[Path, Any]] = {}
    for folder in ("mixed", "meg_eeg", "eeg_shared", "misc", "continuous"):
        for file, read, _ in mat_files(data_dir / folder):
            key = file.name.split("_")[0] + ("0raw" if "0raw" in file.name else "")
            seen.setdefault(key, (file, read))
    yield from seen.values()


@pytest.fixture(scope="module")
def sources(data_dir) -> list[tuple[Path, Any, dict[str, Variable]]]:
    return [(file, read, mat.read(file)) for file, read in one_of_each_kind(data_dir)]


def rest(structure: Any, *left: str) -> Any:
    """The structure without some attributes and without what was kept of them."""
    values = {f.name: getattr(structure, f.name) for f in dataclasses.fields(structure) if f.init}
    return {name: value for name, value in values.items() if name not in (*left, "extra")}


def read_or_refuse(cls: Any, variables: dict[str, Variable], place: str, name: str) -> Any:
    """A structure, or None after an error that names the field or the sizes that contradict."""
    try:
        return from_mat(cls, variables, place)
    except BstInvError as refused:
        words = str(refused)
    assert name in words or "n_" in words, (place, name, words)
    return None


# the others are tried in test_every_field
@pytest.mark.parametrize("odd", ["a function handle", "text", "infinity", "complex", "sparse"])
def test_an_odd_value_in_any_field(sources, odd):
    """Left out and kept if the field is not essential, else one of our errors that names it."""
    tried = 0
    for file, read, variables in sources:
        intact = read(file)
        cls = type(intact)
        names = {item.spec.name for item in specs(cls) if not isinstance(item.spec.kind, Raw)}
        for name in names & set(variables):
            items = [item for item in specs(cls) if item.spec.name == name]
            changed = {**variables, name: ODD[odd]}
            tried += 1
            if any(item.essential for item in items):
                found = read_or_refuse(cls, changed, file.name, name)
            else:
                found = from_mat(cls, changed, file.name)
            if found is None:
                continue
            report = conversion_report(found)
            left = [item.attribute for item in items] + DEPENDENT.get(name, [])
            assert differences(rest(found, *left), rest(intact, *left)) == [], (file, name)
            if name in found.extra:
                said = [f.reason for f in report.of("dropped") if f.field.startswith(name)]
                left = f"left out of {cls.__name__}, kept as the file has it"
                assert any(left in words for words in said)
    assert tried > 100


def test_what_was_left_out_is_written_back(sources, tmp_path):
    """All fields that are not essential are odd at once."""
    for file, read, variables in sources:
        cls = type(read(file))
        odd = {
            item.spec.name: Variable(np.full((2, 7, 3), 1e20), (2, 7, 3), "double")
            for item in specs(cls)
            if not item.essential
            and item.spec.name in variables
            and not isinstance(item.spec.kind, Raw)
        }
        found = from_mat(cls, variables | odd, file.name)
        row = next(w for f, _, w in mat_files(file.parent) if f == file)
        row(tmp_path / "a.mat", found, overwrite=True)
        written = scipy.io.loadmat(tmp_path / "a.mat")
        for name in odd:
            if name in found.extra:
                assert written[name].shape == (2, 7, 3), (file, name)
        assert differences(found, read(tmp_path / "a.mat")) == []


def wrapped(variable: Variable) -> Variable:
    return Variable(variable.value, (1, 1), "cell")


def test_a_cell_of_one_around_any_field(sources):
    for file, read, variables in sources:
        intact = read(file)
        cls = type(intact)
        for item in specs(cls):
            name, kind = item.spec.name, item.spec.kind
            if name not in variables or variables[name].matlab_class == "cell":
                continue
            if isinstance(kind, Raw) and not kind.struct:
                continue  # kept as it is
            if name == "TF":
                continue  # inside a cell it has lost its middle dimension of one
            found = from_mat(cls, {**variables, name: wrapped(variables[name])}, file.name)
            assert differences(found, intact) == [], (file, name)


def deep(value: Any, place: str = "") -> Iterator[tuple[str, Any]]:
    """Yield every struct inside a value, with its place."""
    if isinstance(value, Mapping):
        yield place, value
        for name, item in value.items():
            yield from deep(item, f"{place}.{name}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from deep(item, f"{place}({index})")


@pytest.mark.parametrize("odd", ["a function handle", "text", "an array", "a struct"])
def test_an_odd_value_deep_inside(sources, odd):
    """Read, or one of our errors: never an error of Python."""
    tried = 0
    for file, read, variables in sources:
        cls = type(read(file))
        for name, variable in variables.items():
            for _, found in list(deep(variable.value))[:20]:
                for field in list(found)[:12]:
                    before = found[field]
                    found[field] = (
                        [ODD[odd].value] * len(before)
                        if isinstance(before, list)
                        else ODD[odd].value
                    )
                    tried += 1
                    repr(read_or_refuse(cls, variables, file.name, name))
                    found[field] = before
    assert tried > 100


def test_a_function_handle_in_a_transform(tmp_path):
    """Nothing needs it; the names of the transforms go with them."""
    handle = array("FUNCTION", (1, 1), number(""))
    cells = array("CELL", (1, 2), handle, array("DOUBLE", (1, 1), doubles(1.0)), name="TransfEeg")
    channels = structs({"Name": "a", "Type": "EEG", "Loc": np.ones((3, 1))})
    save(tmp_path / "a.mat", Channel=channels, TransfEegLabels=cell("x", "y"))
    file = tmp_path / "b.mat"
    file.write_bytes((tmp_path / "a.mat").read_bytes() + cells)
    found = io.read_channels(file)
    assert (found.names, found.transf_eeg, found.transf_eeg_labels) == (("a",), (), ())
    fields = [f.field for f in conversion_report(found)]
    assert fields == ["TransfEeg(1)", "TransfEeg(2)", "TransfEegLabels"]
    assert "a function handle found" in str(conversion_report(found))
    io.write_channels(tmp_path / "c.mat", found)
    again = io.read_channels(tmp_path / "c.mat")
    assert again.names == ("a",)
    assert list(again.extra["TransfEegLabels"].ravel()) == ["x", "y"]


def test_caps_of_brainstorm(shared_dir):
    """A function handle stands in TransfEeg of one."""
    folder = shared_dir / "real" / "brainstorm" / "channels"
    found = io.read_channels(folder / "channel_ANT_Waveguard_32.mat")
    assert len(found) == 33
    assert all(channel.loc is not None for channel in found.channels)
    assert not found.transf_eeg or found.transf_eeg[0] is None


@pytest.mark.parametrize(
    "name", ["st_data_string_comment_v7.mat", "h04b_headmodel_v73_string_comment.mat"]
)
def test_strings_of_matlab(name):
    read = io.read_recordings if "data" in name else io.read_head_model
    found = read(CASES / name)
    assert found.comment == ""
    (finding,) = conversion_report(found)
    assert finding.field == "Comment"
    assert "an object of the MATLAB class string found, text expected" in finding.reason
    assert found.extra["Comment"] == Unreadable("an object of the MATLAB class string")


def test_a_head_model_inside_one_struct():
    found = io.read_head_model(CASES / "headmodel_struct_lf.mat")
    assert found.gain.shape == (64, 30)
    (finding,) = conversion_report(found)
    assert (finding.severity, finding.field) == ("derived", "lf")


def test_options_in_a_cell(tmp_path):
    options = structs({"InverseMethod": "minnorm", "SourceOrient": cell("fixed")})
    file = save(tmp_path / "a.mat", ImagingKernel=np.eye(2), GoodChannel=np.array([1.0, 2]),
                Options=cell(options))  # fmt: skip
    found = io.read_results(file)
    assert found.options["InverseMethod"] == "minnorm"
    assert found.options["SourceOrient"] == ("fixed",)
    assert [str(f) for f in conversion_report(found)] == [
        "derived: Options: taken out of a cell of one"
    ]


def test_the_same_of_many_elements_is_said_once(tmp_path):
    rows = [{"Name": f"E{i}", "Type": "EEG", "Group": 5.0 * i} for i in range(9)]
    rows[4]["Group"] = "x"
    found = io.read_channels(save(tmp_path / "a.mat", Channel=structs(*rows)))
    fields = [f.field for f in conversion_report(found)]
    assert fields == [f"Channel({i + 1}).Group" for i in range(9) if i != 4]  # other numbers
    for row in rows:
        row["Group"] = np.eye(2)
    found = io.read_channels(save(tmp_path / "b.mat", Channel=structs(*rows)))
    (finding,) = conversion_report(found)
    assert finding.field == "Channel(1).Group and 8 more"


def test_a_value_that_is_set_replaces_what_was_kept(tmp_path):
    found = io.read_study(save(tmp_path / "a.mat", Name=5.0, DateOfStudy="01-Jan-2024"))
    assert (found.name, found.extra["Name"].item()) == ("", 5.0)
    io.write_study(tmp_path / "b.mat", dataclasses.replace(found, name="new"))
    assert scipy.io.loadmat(tmp_path / "b.mat")["Name"].item() == "new"


def test_findings_are_logged_and_heard(tmp_path, caplog):
    file = save(tmp_path / "a.mat", Name=5.0)
    with hearing() as heard, caplog.at_level("WARNING", logger="mne_bstinv"):
        io.read_study(file)
    assert [finding.field for finding in heard] == ["Name"]
    assert f"{file}: dropped: Name: the number 5 found, text expected; left out" in caplog.text


def test_unreadable_values_are_said_when_they_cannot_be_written(tmp_path, caplog):
    found = io.read_recordings(CASES / "st_data_string_comment_v7.mat")
    with caplog.at_level("WARNING", logger="mne_bstinv"):
        io.write_recordings(tmp_path / "a.mat", found)
    assert "an object of the MATLAB class string cannot be written" in caplog.text
    assert scipy.io.loadmat(tmp_path / "a.mat")["Comment"].size == 0


def test_a_damaged_sparse_array_costs_itself(tmp_path):
    faces, vertices = np.array([[1, 2, 3]]), np.eye(3)
    save(tmp_path / "a.mat", Vertices=vertices, Faces=faces)
    bad = sparse([0, 9], [0, 1, 2, 2], (3, 3)).replace(b"a" + b"\0" * 7, b"VertConn")
    head = bad.replace(b"\x01\0\0\0\x01\0\0\0VertConn", b"\x01\0\0\0\x08\0\0\0VertConn")
    file = tmp_path / "b.mat"
    file.write_bytes((tmp_path / "a.mat").read_bytes() + head)
    found = io.read_surface(file)
    assert (found.n_vertices, found.vert_conn) == (3, None)
    (finding,) = conversion_report(found)
    assert finding.field == "VertConn"
