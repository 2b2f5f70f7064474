"""A port is resumed, goes on after errors, and never leaves what is half done."""

from __future__ import annotations

import dataclasses
import errno
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import mne
import numpy as np
import pytest
from port_checks import check_output, files_of

from mne_bstinv import io
from mne_bstinv.errors import OptionError, OverwriteError, ProtocolError
from mne_bstinv.port import outputs as outputs_module
from mne_bstinv.port import port_protocol
from mne_bstinv.port import unit as unit_module

A = "data/Subject01/condA"
SHARED = "data/Subject01/@default_study"


def titles(units):
    return sorted(unit["title"] for unit in units)


def snapshot(out):
    return {name: (out / name).stat().st_mtime_ns for name in files_of(out)}


class TestResume:
    def test_nothing_is_done_twice(self, protocol, ported):
        before = snapshot(ported)
        report = port_protocol(protocol, ported, verify=True)
        assert (len(report.done), len(report.kept), len(report.failed)) == (0, 4, 0)
        after = snapshot(ported)
        assert {name for name in after if after[name] != before[name]} == {"port.json", "port.html"}

    def test_a_changed_input_is_done_again_with_all_that_is_made_of_it(self, protocol, ported):
        file = protocol / A / "data_average_240101_1200.mat"
        recordings = io.read_recordings(file)
        doubled = dataclasses.replace(recordings, f=2 * recordings.f)
        io.write_recordings(file, doubled, overwrite=True)
        report = port_protocol(protocol, ported, verify=True)
        assert titles(report.done) == ["Subject01/condA"]
        evoked = mne.read_evokeds(
            ported / "Subject01/condA/Subject01_condA-ave.fif", 0, proj=False, verbose="error"
        )
        np.testing.assert_allclose(evoked.data, doubled.f, rtol=1e-6)
        check_output(ported)

    def test_a_changed_shared_input_is_done_again_everywhere(self, protocol, ported):
        file = protocol / SHARED / "noisecov_full.mat"
        cov = io.read_noise_cov(file)
        io.write_noise_cov(
            file, dataclasses.replace(cov, noise_cov=2 * cov.noise_cov), overwrite=True
        )
        report = port_protocol(protocol, ported)
        assert titles(report.done) == [
            "Subject01/@default_study", "Subject01/condA", "Subject01/condB",
        ]  # fmt: skip
        assert titles(report.kept) == ["anatomy of Subject01"]

    def test_the_same_content_written_again_is_no_change(self, protocol, ported):
        file = protocol / A / "data_average_240101_1200.mat"
        os.utime(file, (0, 0))
        assert len(port_protocol(protocol, ported, verify=True).kept) == 4

    @pytest.mark.parametrize("harm", ["missing", "truncated", "changed", "manifest"])
    def test_an_output_that_is_not_as_it_was_is_made_again(self, protocol, ported, harm):
        file = ported / "Subject01/condA/Subject01_condA-ave.fif"
        content = file.read_bytes()
        if harm == "missing":
            file.unlink()
        elif harm == "truncated":
            file.write_bytes(content[:-10])
        elif harm == "changed":
            file.write_bytes(content[:-10] + bytes(10))
        else:
            (file.parent / "port.json").unlink()
        report = port_protocol(protocol, ported, verify=True, overwrite=harm == "manifest")
        assert titles(report.done) == ["Subject01/condA"]
        check_output(ported)
        mne.read_evokeds(file, 0, proj=False, verbose="error")

    def test_outputs_that_are_made_no_more_are_removed(self, protocol, ported):
        (protocol / A / "results_sLORETA_EEG_KERNEL_261122_1233.mat").unlink()
        (mine := ported / "Subject01/condA/notes.txt").write_text("mine")
        port_protocol(protocol, ported)
        left = files_of(ported)
        assert not any("condA_sLORETA_EEG_KERNEL_261122_1233" in name for name in left)
        assert any("condA_sLORETA_EEG_KERNEL_261122_1234" in name for name in left)
        assert mine.read_text() == "mine"

    def test_what_was_made_of_a_condition_that_is_gone_is_named(self, protocol, ported):
        """Else it is taken for one of the conditions that there are."""
        before = {name: f for name, f in snapshot(ported).items() if "condB" in name}
        (protocol / "data" / "Subject01" / "condB").rename(protocol / "data" / "Subject01" / "new")
        for dry_run in (True, False):
            report = port_protocol(protocol, ported, dry_run=dry_run)
            told = [problem for problem in report.problems if "earlier run" in problem]
            assert len(told) == 1
            assert told[0].startswith(
                "Subject01/condB: made by an earlier run of Subject01/condB, which the protocol "
                "does not have any more; it is left as it was."
            )
            assert f"problem: {told[0]}" in str(report)
        assert told[0] in (ported / "port.html").read_text("utf-8")
        assert {name: f for name, f in snapshot(ported).items() if "condB" in name} == before
        # a condition that is there and not asked for is no such thing
        again = port_protocol(protocol, ported, conditions="condA")
        assert [p for p in again.problems if "earlier run" in p] == told

    def test_a_marked_trial_is_done_again(self, protocol, ported):
        file = protocol / A / "brainstormstudy.mat"
        study = io.read_study(file)
        marked = dataclasses.replace(study, bad_trials=("data_average_240101_1200.mat",))
        io.write_study(file, marked, overwrite=True)
        report = port_protocol(protocol, ported, verify=True)
        assert titles(report.done) == ["Subject01/condA"]
        names = {path.name for path in ported.rglob("*condA*-ave.fif")}
        assert names == {"Subject01_condA-ave.fif", "Subject01_condA_bad-ave.fif"}

    def test_verification_is_made_up_for(self, protocol, tmp_path):
        out = tmp_path / "out"
        assert port_protocol(protocol, out).units[-1]["verification"] is None
        report = port_protocol(protocol, out, verify=True)
        assert titles(report.kept) == ["anatomy of Subject01"]
        assert len(report.units[-1]["verification"]) == 3
        # not asked for again, it stays
        report = port_protocol(protocol, out)
        assert len(report.kept) == 4
        assert len(report.units[-1]["verification"]) == 3
        assert len(port_protocol(protocol, out, verify=True, rtol=1e-8).done) == 3

    def test_an_interruption_leaves_a_port_that_goes_on(self, protocol, tmp_path, monkeypatch):
        out, convert, calls = tmp_path / "out", unit_module.convert_unit, []

        def interrupted(*args):
            calls.append(args)
            if len(calls) == 3:
                raise KeyboardInterrupt
            convert(*args)

        monkeypatch.setattr(unit_module, "convert_unit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            port_protocol(protocol, out)
        assert check_output(out) == {"done": 2}
        assert json.loads((out / "port.json").read_text())["status"] == "running"
        assert [path.name for path in (out / ".port").iterdir()] == ["commit.lock"]
        monkeypatch.undo()
        report = port_protocol(protocol, out)
        assert (len(report.done), len(report.kept)) == (2, 2)
        assert json.loads((out / "port.json").read_text())["status"] == "done"

    @pytest.mark.skipif(sys.platform == "win32", reason="SIGKILL")
    def test_a_killed_port_goes_on(self, sample_dir, tmp_path):
        out, rng, killed = tmp_path / "out", random.Random(0), 0
        command = [sys.executable, "-m", "mne_bstinv", "port", str(sample_dir), str(out)]
        for _ in range(3):
            process = subprocess.Popen(
                command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            begun = time.monotonic()
            while not (out / "subjects").exists() and time.monotonic() - begun < 30:
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.3))
            process.send_signal(signal.SIGKILL)
            killed += process.wait() == -signal.SIGKILL
            check_output(out)
        assert killed >= 1
        report = port_protocol(sample_dir, out)
        assert report.success
        assert check_output(out) == {"done": 3}
        assert [path.name for path in (out / ".port").iterdir()] == ["commit.lock"]


class TestErrors:
    def test_one_bad_file_stops_neither_its_condition_nor_the_rest(self, protocol, tmp_path):
        bad = protocol / A / "results_MN_EEG_KERNEL_261122_1234.mat"
        good = bad.read_bytes()
        bad.write_bytes(good[:500])
        report = port_protocol(protocol, tmp_path / "out")
        assert titles(report.failed) == ["Subject01/condA"]
        assert len(report.done) == 3
        (error,) = report.failed[0]["errors"]
        assert error["file"] == f"{A}/{bad.name}"
        assert "damaged (truncated)" in error["reason"]
        assert not report.success
        assert f"Subject01/condA: results {A}/{bad.name}" in str(report)
        names = {path.name for path in (tmp_path / "out/Subject01/condA").iterdir()}
        assert "Subject01_condA_sLORETA_EEG_KERNEL_261122_1234_fixed-inv.fif" in names
        assert not any("condA_MN_EEG_KERNEL_261122_1234" in name for name in names)
        # run again, what failed is done again
        bad.write_bytes(good)
        report = port_protocol(protocol, tmp_path / "out")
        assert titles(report.done) == ["Subject01/condA"]
        assert report.success

    def test_a_condition_without_its_channel_file_fails_and_says_so(self, protocol, tmp_path):
        (protocol / SHARED / "channel.mat").unlink()
        report = port_protocol(protocol, tmp_path / "out")
        assert titles(report.failed) == ["Subject01/condA", "Subject01/condB"]
        reason = report.failed[0]["errors"][0]["reason"]
        assert "no channel file (channel*.mat)" in reason
        assert len(report.done) == 1  # the anatomy

    def test_a_damaged_shared_file_is_told_where_it_matters(self, protocol, tmp_path):
        (protocol / SHARED / "headmodel_surf_eeg_3sphereberg.mat").write_bytes(b"x" * 200)
        report = port_protocol(protocol, tmp_path / "out")
        shared = next(unit for unit in report.units if unit["kind"] == "shared")
        assert {error["what"] for error in shared["errors"]} == {"head model", "inverse operator"}
        names = set(shared["outputs"])
        assert {"Subject01_default_study-info.fif", "Subject01_default_study-cov.fif"} <= names
        told = [line for line in str(report).splitlines() if line.startswith(shared["title"])]
        assert len(told) == 1
        assert "the same for 2 more: 2 × inverse operator)" in told[0]
        # recordings do not need it
        assert (tmp_path / "out/Subject01/condA/Subject01_condA-ave.fif").is_file()

    def test_a_covariance_that_was_replaced_since_is_told_without_verification(
        self, protocol, tmp_path
    ):
        file = next((protocol / SHARED).glob("noisecov*.mat"))
        cov = io.read_noise_cov(file)
        scale = np.linspace(0.5, 2, len(cov.noise_cov))
        changed = dataclasses.replace(cov, noise_cov=cov.noise_cov * np.outer(scale, scale))
        io.write_noise_cov(file, changed, overwrite=True)
        report = port_protocol(protocol, tmp_path / "out")
        assert report.success  # the files are what the protocol says now
        shared = next(unit for unit in report.units if unit["kind"] == "shared")
        operators = [o for name, o in shared["outputs"].items() if name.endswith("-inv.fif")]
        assert operators
        for output in operators:
            assert output["kernel_difference"] > 1e-3
            assert output["parameters"]["parity"] == "not comparable"
        # once a unit: the shared kernels, and those of each condition
        assert str(report).count("have changed since it was computed") == 3
        assert f"(so do {len(operators) - 1} more)" in str(report)
        overview = (tmp_path / "out/port.html").read_text("utf-8")
        assert f"not verified; 0 of {len(operators)} operators give the stored kernels" in overview
        assert overview.count("have changed since it was computed") == 3

    def test_what_an_earlier_run_made_stays_when_all_of_a_unit_fails(
        self, protocol, ported, monkeypatch
    ):
        def full(self, *args, **kwargs):
            raise OSError(errno.ENOSPC, "No space left on device")

        os.utime(protocol / A / "data_average_240101_1200.mat")
        file = protocol / A / "data_average_240101_1200.mat"
        recordings = io.read_recordings(file)
        io.write_recordings(file, dataclasses.replace(recordings, comment="x"), overwrite=True)
        before = {name: stamp for name, stamp in snapshot(ported).items() if "-" in name}
        monkeypatch.setattr(outputs_module.Outputs, "write", full)
        report = port_protocol(protocol, ported, verify=True)
        assert titles(report.failed) == ["Subject01/condA"]
        assert report.failed[0]["errors"][0]["reason"] == (
            f"{ported / 'Subject01/condA'}: cannot be written: {os.strerror(errno.ENOSPC)}. Check "
            "the space and your rights there, and run again."
        )
        assert before == {n: stamp for n, stamp in snapshot(ported).items() if "-" in n}
        manifest = json.loads((ported / "Subject01/condA/port.json").read_text())
        assert manifest["status"] == "failed"
        assert "Subject01_condA-ave.fif" in manifest["outputs"]  # still ours
        monkeypatch.undo()
        assert titles(port_protocol(protocol, ported, verify=True).done) == ["Subject01/condA"]

    def test_an_input_that_changes_meanwhile_is_noticed(self, protocol, tmp_path, monkeypatch):
        convert = unit_module.convert_unit
        file = protocol / A / "data_average_240101_1200.mat"

        def changing(unit, *args):
            convert(unit, *args)
            if unit.condition == "condA":
                file.write_bytes(file.read_bytes() + bytes(8))

        monkeypatch.setattr(unit_module, "convert_unit", changing)
        report = port_protocol(protocol, tmp_path / "out")
        assert titles(report.failed) == ["Subject01/condA"]
        assert "changed while it was being converted: run again" in str(report)

    def test_files_of_others_are_not_replaced(self, protocol, tmp_path):
        file = tmp_path / "out/Subject01/condA/Subject01_condA-ave.fif"
        file.parent.mkdir(parents=True)
        file.write_text("mine")
        report = port_protocol(protocol, tmp_path / "out")
        assert titles(report.failed) == ["Subject01/condA"]
        assert "exists already and is of no earlier port" in str(report)
        assert file.read_text() == "mine"
        report = port_protocol(protocol, tmp_path / "out", overwrite=True)
        assert titles(report.done) == ["Subject01/condA"]
        assert file.stat().st_size > 1000

    def test_a_manifest_of_somebody_else_is_left_alone(self, protocol, tmp_path):
        file = tmp_path / "out/Subject01/condA/port.json"
        file.parent.mkdir(parents=True)
        file.write_text('{"mine": true}')
        report = port_protocol(protocol, tmp_path / "out", overwrite=True)
        assert titles(report.failed) == ["Subject01/condA"]
        assert "condA/port.json: not a manifest of this version" in str(report)
        assert file.read_text() == '{"mine": true}'
        assert len(report.done) == 3

    def test_the_port_of_another_protocol_is_not_replaced(self, data_dir, ported):
        with pytest.raises(OverwriteError, match=r"port of the protocol 'eeg_shared', not of 'mix"):
            port_protocol(data_dir / "mixed", ported)

    def test_the_output_is_not_among_brainstorms_files(self, protocol):
        before = sorted(protocol.rglob("*"))
        for place in ("data/port", "anat", "out", ""):
            with pytest.raises(ProtocolError, match=r"inside the protocol .*: choose an output"):
                port_protocol(protocol, protocol / place)
        assert sorted(protocol.rglob("*")) == before
        (protocol / "port.py").write_text("")
        for place in ("port.py", "port.py/out"):
            with pytest.raises(OverwriteError, match=r"port\.py: a file; the output is a folder"):
                port_protocol(protocol, protocol / place)

    @pytest.mark.parametrize(
        ("options", "message"),
        [
            ({"estimates": "some"}, "Unknown estimates 'some'"),
            ({"data_types": "MRI"}, "Unknown data types 'MRI'"),
            ({"data_types": ()}, r"Unknown data types \(none\)"),
            ({"rtol": 2}, "rtol must be a number from 0 to 0.5, found 2"),
            ({"n_jobs": 0}, r"n_jobs must be a positive number .*, or -1 .* found 0\."),
            ({"n_jobs": -5}, r"n_jobs must be a positive number .*, or -1 .* found -5\."),
            ({"n_jobs": "2"}, r"n_jobs must be int, found str '2'\."),
            ({"max_bytes": float("nan")}, r"max_bytes must be int, found float nan\."),
            ({"max_bytes": 0}, r"max_bytes must be a positive number of bytes, found 0\."),
        ],
    )
    def test_options_are_checked_before_anything_is_written(
        self, protocol, tmp_path, options, message
    ):
        with pytest.raises(OptionError, match=message):
            port_protocol(protocol, tmp_path / "out", **options)
        assert not (tmp_path / "out").exists()

    def test_a_part_of_a_protocol_is_not_taken_for_the_whole(self, protocol, tmp_path):
        out = tmp_path / "out"
        with pytest.raises(
            ProtocolError, match=f"port {protocol} {out} --subject Subject01 --cond"
        ):
            port_protocol(protocol / A, out)
        assert not out.exists()

    def test_names_are_checked(self, protocol, tmp_path):
        with pytest.raises(
            ProtocolError, match="Protocol 'eeg_shared': no subject 'x'; choose one of: '"
        ):
            port_protocol(protocol, tmp_path / "out", subjects="x")
        with pytest.raises(
            ProtocolError, match="no condition 'x'; choose one of: 'condA', 'condB'"
        ):
            port_protocol(protocol, tmp_path / "out", conditions=["condA", "x"])
        for what in ("subjects", "conditions"):  # an empty list is no choice, and not all
            with pytest.raises(OptionError, match=f"{what} is an empty list; choose one of: '"):
                port_protocol(protocol, tmp_path / "out", **{what: []})
        assert not (tmp_path / "out").exists()

    def test_a_worker_that_dies_is_told(self, protocol, tmp_path, monkeypatch):
        from concurrent.futures.process import BrokenProcessPool

        import joblib

        class Dying(joblib.Parallel):
            def __call__(self, tasks):
                tasks = list(tasks)
                function, args, kwargs = tasks[0]
                yield function(*args, **kwargs)
                raise BrokenProcessPool("A worker process was killed. It was.")

        monkeypatch.setattr(joblib, "Parallel", Dying)
        report = port_protocol(protocol, tmp_path / "out")
        assert (len(report.done), len(report.failed)) == (1, 3)
        assert "The worker process ended (A worker process was killed): run again" in str(report)


class TestChoices:
    def test_filters_and_what_stays_of_others(self, protocol, ported):
        file = protocol / A / "data_average_240101_1200.mat"
        recordings = io.read_recordings(file)
        io.write_recordings(file, dataclasses.replace(recordings, comment="x"), overwrite=True)
        report = port_protocol(
            protocol, ported, subjects="Subject01", conditions="condB", verify=True
        )
        assert titles(report.kept) == [
            "Subject01/@default_study", "Subject01/condB", "anatomy of Subject01",
        ]  # fmt: skip
        whole = json.loads((ported / "port.json").read_text("utf-8"))
        assert len(whole["units"]) == 4  # condA of before is still there

    def test_a_part_is_called_so(self, protocol, tmp_path):
        port_protocol(protocol, tmp_path / "out", conditions="condB")
        assert json.loads((tmp_path / "out/port.json").read_text())["status"] == "partial"

    def test_data_types(self, data_dir, tmp_path):
        options = {"conditions": "evoked", "estimates": "none"}
        both = port_protocol(data_dir / "meg_eeg", tmp_path / "all", **options)
        n_all = sum(name.endswith("-inv.fif") for name in both.units[-1]["outputs"])
        found = {}
        for types in ("EEG", "MEG", ("MEG MAG",), ("MEG", "EEG")):
            out = tmp_path / "".join(types)
            report = port_protocol(data_dir / "meg_eeg", out, data_types=types, **options)
            names = report.units[-1]["outputs"]
            found[types] = {name for name in names if name.endswith("-inv.fif")}
        assert all("_EEG_" in name and "MEG" not in name for name in found["EEG"])
        assert all("MEG" in name and "_EEG_" not in name for name in found["MEG"])
        assert 0 < len(found["MEG MAG",]) < len(found["MEG"])
        assert len(found["MEG", "EEG"]) == n_all

    def test_estimates(self, data_dir, protocol, tmp_path):
        port_protocol(protocol, tmp_path / "none", estimates="none")
        assert not any(name.endswith(".stc") for name in files_of(tmp_path / "none"))
        report = port_protocol(protocol, tmp_path / "averages", estimates="averages")
        assert any(name.endswith(".stc") for name in files_of(tmp_path / "averages"))
        assert all(unit["skipped"] == [] for unit in report.units)
        # a trial that stands before an average in the order of names
        first = protocol / A / "data_average_240101_1200.mat"
        trial = dataclasses.replace(io.read_recordings(first), n_avg=1, leff=1.0)
        io.write_recordings(first.with_name("data_a_trial.mat"), trial)
        first.unlink()
        report = port_protocol(
            protocol, tmp_path / "averages", estimates="averages", conditions="condA"
        )
        reasons = {skip["reason"] for skip in report.units[-1]["skipped"]}
        assert "Estimates of trials were not asked for." in reasons
        names = [name for name in report.units[-1]["outputs"] if name.endswith("-lh.stc")]
        assert not any("a_trial" in name for name in names)
        shared = "Subject01_condA_MN_EEG_KERNEL_261122_1233_fixed_average_240102_1200-lh.stc"
        assert shared in names
        # kernels of the recordings that are gone
        assert {error["reason"].split(":")[-1] for error in report.units[-1]["errors"]} == {
            " restore them."
        }

    def test_a_kernel_that_differs_is_no_success(self, protocol, tmp_path):
        file = protocol / A / "results_MN_EEG_KERNEL_261122_1234.mat"
        stored = io.read_results(file)
        changed = stored.imaging_kernel * 1.01
        io.write_results(file, dataclasses.replace(stored, imaging_kernel=changed), overwrite=True)
        report = port_protocol(protocol, tmp_path / "out", verify=True)
        assert report.failed == ()
        assert [o["file"] for o in report.differing] == [f"{A}/{file.name}"]
        assert not report.success
        page = (tmp_path / "out/port.html").read_text("utf-8")
        assert "class='differs'>6 equal, 1 differs" in page


class TestParallel:
    def test_two_workers_give_the_same_files(self, protocol, ported_once, tmp_path):
        report = port_protocol(protocol, tmp_path / "out", n_jobs=2, verify=True)
        assert report.success
        assert files_of(tmp_path / "out") == files_of(ported_once)
        assert check_output(tmp_path / "out") == {"done": 4}

    def test_workers_limit_their_threads(self, protocol, tmp_path, monkeypatch):
        threadpoolctl = pytest.importorskip("threadpoolctl")
        seen = []

        def looking(*args):
            seen.append({pool["num_threads"] for pool in threadpoolctl.threadpool_info()
                         if pool["user_api"] == "blas"})  # fmt: skip

        monkeypatch.setattr(unit_module, "convert_unit", looking)
        import joblib

        with joblib.parallel_config("threading"):
            port_protocol(protocol, tmp_path / "out", n_jobs=2)
        assert seen == [{1}] * 4

    def test_two_ports_at_once_share_an_output(self, protocol, ported_once, tmp_path):
        out = tmp_path / "out"
        command = [sys.executable, "-m", "mne_bstinv", "port", str(protocol), str(out)]
        running = [
            subprocess.Popen([*command, "--condition", name], stdout=subprocess.DEVNULL)
            for name in ("condA", "condB")
        ]
        assert [process.wait(timeout=60) for process in running] == [0, 0]
        assert check_output(out) == {"done": 4}
        assert files_of(out) == files_of(ported_once)
        assert len(port_protocol(protocol, out).kept) == 4

    @pytest.mark.slow
    def test_ports_of_three_threads_share_no_objects(self, data_dir, tmp_path):
        """What MNE locks while one thread changes it is no other's."""

        def port(index: int) -> tuple[bool, list[str]]:
            report = port_protocol(data_dir / "eeg_shared", tmp_path / str(index))
            return report.success, files_of(tmp_path / str(index))

        with ThreadPoolExecutor(3) as threads:
            found = list(threads.map(port, range(3)))
        assert found == [(True, found[0][1])] * 3

    def test_on_a_local_dask_cluster(self, protocol, ported_once, tmp_path):
        distributed = pytest.importorskip("distributed")
        import joblib

        with (
            distributed.LocalCluster(
                n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
            ) as cluster,
            distributed.Client(cluster),
            joblib.parallel_config("dask"),
        ):
            report = port_protocol(protocol, tmp_path / "out", verify=True)
        assert report.success
        assert files_of(tmp_path / "out") == files_of(ported_once)


def test_the_report_reads_well(protocol, tmp_path):
    report = port_protocol(protocol, tmp_path / "out")
    assert repr(report) == (
        "<PortReport | 4 units converted (1 anatomy, 1 folder of shared files, 2 conditions), "
        f"0 up to date, 0 failed, {tmp_path / 'out'}>"
    )
    assert str(report).endswith(f"0 failed; see {Path(tmp_path) / 'out' / 'port.html'}")
    table = report._repr_html_()
    assert "<td>Subject01/condA</td><td>done</td><td>not verified; " in table
    assert "<td>anatomy of Subject01</td><td>done</td><td></td>" in table
    # three shared, nine of the conditions, one of them an estimate without kernel
    assert "11 of 12 operators give the stored kernels (largest relative difference " in str(report)
    assert "; 1 has no stored kernel to compare with\n" in str(report)


def test_sources_without_the_file_of_their_cortex_are_told(data_dir, tmp_path):
    protocol = shutil.copytree(data_dir / "eeg_surface", tmp_path / "eeg_surface")
    for file in protocol.rglob("tess_cortex*.mat"):
        file.unlink()
    report = port_protocol(protocol, tmp_path / "out", conditions="evoked")
    assert report.success
    told = [line for line in str(report).splitlines() if line.startswith("problem: ")]
    assert "the cortex file" in told[0]
    assert "-src.fif: there is no file of the cortex, so sources become discrete: wi" in told[1]
    assert told[1].endswith(
        "in -vl.stc instead of -lh.stc and -rh.stc. Restore the file and run again"
    )
    names = files_of(tmp_path / "out")
    assert any(name.endswith("-vl.stc") for name in names)
    assert not any(name.endswith("-lh.stc") for name in names)
    for page in ((tmp_path / "out/port.html").read_text("utf-8"), report._repr_html_()):
        assert "so sources become discrete" in page


def test_sources_with_their_cortex_are_no_problem(protocol, tmp_path):
    assert "problem" not in str(port_protocol(protocol, tmp_path / "out"))


def test_dspm_can_be_scaled_as_brainstorm_shows_it(sample_dir, tmp_path):
    plain = port_protocol(sample_dir, tmp_path / "plain", data_types="MEG")
    shown = port_protocol(sample_dir, tmp_path / "shown", data_types="MEG", scale_leff=True)
    assert plain.success
    assert shown.success
    folder = tmp_path / "shown/Subject01/evoked"
    outputs = json.loads((folder / "port.json").read_text("utf-8"))["outputs"]
    leff = io.read_recordings(next((sample_dir / "data/Subject01/evoked").glob("data_*.mat"))).leff
    assert leff > 1
    estimates = {n: output for n, output in outputs.items() if n.endswith("-lh.stc")}
    assert {output["scale_leff"] for output in estimates.values()} == {True, False}
    for name, output in estimates.items():
        is_dspm = "dSPM" in name
        assert output["scale_leff"] == is_dspm
        other = mne.read_source_estimate(tmp_path / "plain/Subject01/evoked" / name)
        ratio = np.sqrt(leff) if is_dspm else 1.0
        data = mne.read_source_estimate(folder / name).data
        # stc files hold single precision
        np.testing.assert_allclose(data, ratio * other.data, rtol=3e-7, atol=0)

    name = next(n for n in outputs if "dSPM" in n and n.endswith("-inv.fif"))
    say = outputs[name]["parameters"]
    (evoked,) = mne.read_evokeds(folder / "Subject01_evoked-ave.fif", proj=False, verbose=False)
    evoked.nave = int(leff) * say["nave"]
    inverse = mne.minimum_norm.read_inverse_operator(folder / name)
    with_mne = mne.minimum_norm.apply_inverse(evoked, inverse, say["lambda2"], say["method"])
    stored = mne.read_source_estimate(folder / name.replace("-inv.fif", "-lh.stc"))
    assert np.linalg.norm(with_mne.data - stored.data) < 1e-6 * np.linalg.norm(stored.data)
