from __future__ import annotations

import dataclasses
import hashlib
import socket
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pooch
import pytest

from mne_bstinv import datasets, read_raw_brainstorm
from mne_bstinv.anatomy import hemispheres
from mne_bstinv.datasets import (
    fetch_mne_sample,
    load_mne_sample,
    load_sample,
    sample_study,
    simulated_sources,
)
from mne_bstinv.errors import DownloadError, MissingFileError
from mne_bstinv.studies.data import StudyData


def test_the_sample_is_a_protocol_inside_the_package():
    path = sample_study()
    assert (path / "anat").is_dir()
    assert (path / "data").is_dir()
    assert path.parents[1].name == "mne_bstinv"


def test_the_objects_are_of_one_study():
    sample = load_sample()
    n = len(sample.channels)
    assert n == 135
    assert sample.head_model.gain.shape == (n, 3 * 1140)
    assert sample.noise_cov.noise_cov.shape == (n, n)
    assert sample.recordings.f.shape == (n, 250)
    assert sample.recordings.effective_averages == 80
    np.testing.assert_array_equal(sample.cortex.vertices, sample.head_model.grid_loc)
    assert sorted(sample.results) == [
        "MN: EEG(Unconstr) 2018",
        "MN: MEG ALL(Constr) 2018",
        "dSPM-unscaled: MEG ALL(Constr) 2018",
        "sLORETA: EEG(Constr) 2018",
    ]
    assert "135 channels, 1140 locations, 4 kernels" in repr(sample)


def test_what_the_kernels_find_of_the_simulated_sources():
    """Each maximum is in the right hemisphere; not every kernel finds every source."""
    sample, sources = load_sample(), simulated_sources()
    sides, _ = hemispheres(sample.cortex)
    assert [(s.vertex, s.latency, s.region) for s in sources] == [
        (836, 0.1, "temporal-superior L"),
        (532, 0.17, "occipital-lateral R"),
    ]
    neighbours = sample.cortex.vert_conn  # a patch: the centre and three vertices beside it
    for source in sources:
        assert source.patch[0] == source.vertex
        assert all(neighbours[source.vertex, vertex] for vertex in source.patch[1:])
        assert source.amplitudes == (25e-9, 8e-9, 8e-9, 8e-9)
    off = {}
    for name, stored in sample.results.items():
        estimate = stored.imaging_kernel @ sample.recordings.f[stored.good_channel - 1]
        rows = estimate.reshape(sample.head_model.n_sources, stored.n_components, -1)
        strength = np.linalg.norm(rows, axis=1)
        for source in sources:
            column = np.abs(sample.recordings.time - source.latency).argmin()
            found = strength[:, column].argmax()
            assert sides[found] == sides[source.vertex]
            where = sample.cortex.vertices[[found, source.vertex]]
            off.setdefault(name.split("(")[0], []).append(
                round(1e3 * float(np.linalg.norm(where[0] - where[1])), 1)
            )
    assert off == {
        "MN: MEG ALL": [19.3, 0.0],
        "dSPM-unscaled: MEG ALL": [10.3, 9.0],
        "sLORETA: EEG": [13.8, 0.0],
        "MN: EEG": [21.4, 7.7],
    }


def test_the_anatomy_and_the_continuous_recording():
    sample = load_sample()
    assert {atlas.name for atlas in sample.cortex.atlas} >= {"User scouts", "Structures", "Places"}
    assert sample.cortex.reg["Sphere"]["Vertices"].shape == (1140, 3)
    assert sample.mri.ncs is not None
    before = np.asarray(sample.recordings.f)[:, sample.recordings.time < 0]
    good = sample.recordings.channel_flag == 1
    good &= ["EOG" not in channel.type for channel in sample.channels.channels]
    assert np.abs(before[good].mean(axis=1)).max() <= 1e-9 * np.abs(before[good]).max()
    raw = read_raw_brainstorm(next(sample.path.rglob("data_0raw_run01.mat")))
    assert (len(raw.ch_names), raw.info["sfreq"], raw.n_times) == (71, 100.0, 2000)
    assert set(raw.annotations.description) >= {"auditory", "visual", "blink"}


def test_the_sample_can_be_used_as_any_study():
    sample = load_sample()
    assert isinstance(sample, StudyData)
    assert sample.name == "Subject01/evoked"
    assert sample.data_cov is None
    assert sample.mri.cube.ndim == 3
    assert sample.path == sample_study()
    assert sample.protocol.root == sample.path
    assert all(file.is_relative_to(sample.path) for file in sample.files.values())
    assert sample.reports == {}
    bare = dataclasses.replace(sample, recordings=None)
    assert type(bare) is type(sample)


# -- Downloads, from a server on this machine -----------------------------------------------------

#: Stand-ins for the real files.
FAKE = {"one.txt": b"head to MRI\n", "two.fif.gz": bytes(range(256)) * 40}


class Server:
    """Serves a folder on 127.0.0.1, counts requests, and breaks off where it is told to."""

    def __init__(self, folder):
        self.requests: list[str] = []
        self.break_off = ""
        outer = self

        class Handler(SimpleHTTPRequestHandler):
            def __init__(self, *args):
                super().__init__(*args, directory=str(folder))

            def log_message(self, *args):
                pass

            def do_GET(self):
                outer.requests.append(self.path.rpartition("/")[2])
                if outer.requests[-1] != outer.break_off:
                    super().do_GET()
                    return
                content = (folder / outer.break_off).read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content[: len(content) // 2])
                self.close_connection = True

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"
        self.thread = threading.Thread(target=self.http.serve_forever, args=(0.01,))
        self.thread.start()

    def close(self):
        self.http.shutdown()
        self.thread.join()
        self.http.server_close()


@pytest.fixture
def serve(monkeypatch):
    """Start servers; they are closed at the end."""
    for name in ("NO_PROXY", "no_proxy"):  # whatever proxy this machine has
        monkeypatch.setenv(name, "127.0.0.1")
    servers = []

    def start(folder):
        servers.append(Server(folder))
        return servers[-1]

    yield start
    for server in servers:
        server.close()


@pytest.fixture
def fake(serve, tmp_path, monkeypatch):
    """A server of the stand-ins, which are what the data set is said to hold."""
    folder = tmp_path / "served"
    folder.mkdir()
    for name, content in FAKE.items():
        (folder / name).write_bytes(content)
    hashes = {name: hashlib.sha256(content).hexdigest() for name, content in FAKE.items()}
    monkeypatch.setattr(datasets, "_MNE_SAMPLE", hashes)
    server = serve(folder)
    server.folder = folder
    return server


def fetch(server, folder):
    return fetch_mne_sample(folder, base_url=server.url, progressbar=False)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def test_files_are_downloaded_once(fake, tmp_path):
    folder = tmp_path / "new" / "folder"
    assert fetch(fake, folder) == folder
    assert contents(folder) == FAKE
    assert fake.requests == list(FAKE)
    assert fetch(fake, folder) == folder
    assert fake.requests == list(FAKE)  # nothing was asked again


def test_a_file_that_is_missing_again_is_downloaded_again(fake, tmp_path):
    fetch(fake, tmp_path / "cache")
    (tmp_path / "cache" / "two.fif.gz").unlink()
    fetch(fake, tmp_path / "cache")
    assert fake.requests == [*FAKE, "two.fif.gz"]
    assert contents(tmp_path / "cache") == FAKE


def test_the_progress_is_shown(fake, tmp_path, capsys):
    fetch_mne_sample(tmp_path / "cache", base_url=fake.url + "/", progressbar=True)
    assert capsys.readouterr().err.count("100%") == len(FAKE)


def test_the_folder_of_the_environment_and_the_cache(fake, tmp_path, monkeypatch):
    monkeypatch.setenv("MNE_BSTINV_DATA", str(tmp_path / "mine"))
    assert fetch(fake, None) == tmp_path / "mine" / "mne_sample"
    assert contents(tmp_path / "mine" / "mne_sample") == FAKE
    # the argument counts more
    assert fetch(fake, tmp_path / "argument") == tmp_path / "argument"
    monkeypatch.delenv("MNE_BSTINV_DATA")
    monkeypatch.setattr(pooch, "os_cache", lambda project: tmp_path / "cache" / project)
    assert fetch(fake, None) == tmp_path / "cache" / "mne_bstinv" / "mne_sample"
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    assert fetch(fake, "~/data") == tmp_path / "home" / "data"


def test_a_wrong_file_from_the_server_is_not_kept(fake, tmp_path):
    wrong = b"<html>Sign in</html>"
    (fake.folder / "two.fif.gz").write_bytes(wrong)
    found = hashlib.sha256(wrong).hexdigest()
    expected = hashlib.sha256(FAKE["two.fif.gz"]).hexdigest()
    with pytest.raises(
        DownloadError,
        match=rf"^two\.fif\.gz: {fake.url}/two\.fif\.gz gave another file: SHA-256 {found} found, "
        rf"{expected} expected\. Nothing was kept\..* or put the right file into .*cache by hand",
    ):
        fetch(fake, tmp_path / "cache")
    assert list(contents(tmp_path / "cache")) == ["one.txt"]


def test_a_wrong_file_that_is_there_is_not_replaced(fake, tmp_path):
    (tmp_path / "one.txt").write_bytes(b"mine")
    found = hashlib.sha256(b"mine").hexdigest()
    with pytest.raises(
        DownloadError,
        match=rf"one\.txt: another file than that of {fake.url}/one\.txt: SHA-256 {found} found, "
        r"[0-9a-f]{64} expected\. It is not replaced: remove it",
    ):
        fetch(fake, tmp_path)
    assert (tmp_path / "one.txt").read_bytes() == b"mine"
    assert fake.requests == []


def test_a_connection_that_breaks_leaves_nothing_behind(fake, tmp_path):
    fake.break_off = "two.fif.gz"
    with pytest.raises(
        DownloadError,
        match=rf"^two\.fif\.gz: (not downloaded from )?{fake.url}/two\.fif\.gz .*"
        rf"{hashlib.sha256(FAKE['two.fif.gz']).hexdigest()}",
    ):
        fetch(fake, tmp_path / "cache")
    assert list(contents(tmp_path / "cache")) == ["one.txt"]
    fake.break_off = ""
    fetch(fake, tmp_path / "cache")
    assert contents(tmp_path / "cache") == FAKE
    assert fake.requests == ["one.txt", "two.fif.gz", "two.fif.gz"]


def test_a_download_that_is_interrupted_leaves_nothing_behind(fake, tmp_path, monkeypatch):
    class Interrupted:
        def __init__(self, **options):
            pass

        def __call__(self, url, output_file, caller):
            with open(output_file, "wb") as file:  # noqa: PTH123
                file.write(b"half")
            assert len(contents(tmp_path / "cache")) == 1
            raise KeyboardInterrupt

    monkeypatch.setattr(pooch, "HTTPDownloader", Interrupted)
    with pytest.raises(KeyboardInterrupt):
        fetch(fake, tmp_path / "cache")
    assert contents(tmp_path / "cache") == {}


def test_a_server_that_is_not_there(fake, tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and nobody listens
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(
            DownloadError,
            match=rf"^one\.txt: not downloaded from {url}/one\.txt to .*cache: .*refused.*"
            r"Check the connection.*or put the file there by hand \(SHA-256 expected: [0-9a-f]{64}",
        ):
            fetch_mne_sample(tmp_path / "cache", base_url=url, progressbar=False)
    assert contents(tmp_path / "cache") == {}


def test_a_file_that_the_server_does_not_have(fake, tmp_path):
    (fake.folder / "one.txt").unlink()
    with pytest.raises(DownloadError, match=r"one\.txt: not downloaded from .*404"):
        fetch(fake, tmp_path / "cache")
    assert contents(tmp_path / "cache") == {}


def test_a_folder_that_cannot_be_made(fake, tmp_path):
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(DownloadError, match=r"one\.txt: not downloaded.*rights of the folder"):
        fetch(fake, tmp_path / "file")


def test_the_real_files_are_the_expected_ones(serve, shared_dir, tmp_path):
    """The bytes of the repository of MNE-Python, through a server of our own."""
    server = serve(shared_dir / "real" / "mne_sample")
    fetch(server, tmp_path)
    assert sorted(server.requests) == sorted(contents(tmp_path)) == sorted(datasets._MNE_SAMPLE)
    assert len(server.requests) == 6


# -- The real subject -----------------------------------------------------------------------------


def test_the_real_subject_is_a_study(shared_dir, monkeypatch):
    folder = shared_dir / "real" / "mne_sample"
    study = load_mne_sample(folder)
    assert study.name == "sample/Left Auditory"
    assert study.head_model.gain.shape == (376, 3 * 516)
    other = load_mne_sample(folder, condition="Right visual")
    assert other.name == "sample/Right visual"
    assert not np.array_equal(study.recordings.f, other.recordings.f)
    # without a folder the files come from the download
    monkeypatch.setattr(datasets, "fetch_mne_sample", lambda *, progressbar: folder)
    fetched = load_mne_sample(progressbar=False)
    np.testing.assert_array_equal(fetched.recordings.f, study.recordings.f)


def test_the_real_subject_needs_its_files(tmp_path):
    with pytest.raises(
        MissingFileError,
        match=r"there is no test-ave\.fif\.gz, no test-cov\.fif, .*fetch_mne_sample\(folder\) down",
    ):
        load_mne_sample(tmp_path)
