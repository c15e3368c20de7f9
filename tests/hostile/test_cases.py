"""Inputs that once hung, filled the memory, or ended in a traceback: each is refused in one line, soon."""

import gzip
import importlib
import json
import os
import socket
import struct
import sys
import zipfile

import numpy as np
import pytest

import ali_core.foreign
import ali_core.hdf5
from ali_core import AliError, LabelledEmbedding, Session
from ali_core.cli.app import run
from ali_core.data import open_images
from ali_core.interventions import session_embedding
from ali_viz import Studio
from tests.hostile.samples import make
from tests.hostile.test_mutations import peak_bytes

POSIX = pytest.mark.skipif(os.name != "posix", reason="a pipe in the file system")


@pytest.fixture(autouse=True)
def little_memory():
    """No case takes more than 500 MB beyond what Python has."""
    importlib.import_module("ali_core.networks.weights")  # torch alone takes some
    before = peak_bytes()
    yield
    assert peak_bytes() - before < 5e8


def refused(call, match):
    with pytest.raises(AliError, match=match) as told:
        call()
    assert len(str(told.value)) < 1000
    assert "\n" not in str(told.value)


@pytest.mark.parametrize("label", [2 * 10**7, 10**9, 2**62])
def test_a_label_does_not_make_as_many_classes(tmp_path, label):
    images, labels = np.zeros((12, 28, 28), np.uint8), np.r_[np.arange(11) % 3, label]
    np.savez(tmp_path / "m.npz", train_images=images, train_labels=labels)
    refused(lambda: open_images(tmp_path / "m.npz"), f"codes from 0 to 100,000 at most; got {label}")


def test_parts_of_different_image_size_are_named(tmp_path):
    arrays = {f"{part}_images": np.zeros((4, px, px), np.uint8) for part, px in (("train", 8), ("val", 9))}
    np.savez(tmp_path / "m.npz", **arrays, train_labels=np.arange(4) % 2, val_labels=np.arange(4) % 2)
    refused(lambda: open_images(tmp_path / "m.npz"), "all images must have one size")


@pytest.mark.parametrize("claim", [{"n_features": 10**6, "width": 10**4}, {"width": -1}, {"width": "x"}, {"more": 1}])
def test_a_network_that_claims_more_than_it_holds_is_not_built(tmp_path, claim):
    _, path, reader = make("head", tmp_path)
    data = path.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    about = json.loads(header["__metadata__"]["ali_network"]) | claim
    header["__metadata__"]["ali_network"] = json.dumps(about)
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data[8 + length :])
    refused(lambda: reader(path), "head.safetensors|width")


def test_a_small_archive_of_a_large_array_is_refused_unless_it_is_let_in(tmp_path, monkeypatch):
    path = tmp_path / "zeros.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive, archive.open("vectors.npy", "w") as member:
        header = {"descr": "<f4", "fortran_order": False, "shape": (75_000, 1000)}
        np.lib.format.write_array_header_1_0(member, header)
        for _ in range(300):
            member.write(bytes(10**6))
    refused(lambda: LabelledEmbedding.load(path), "set ALI_MOST_BYTES to more")
    monkeypatch.setenv("ALI_MOST_BYTES", "1e9")
    refused(lambda: LabelledEmbedding.load(path), "has no labels")
    monkeypatch.setenv("ALI_MOST_BYTES", "much")
    refused(lambda: LabelledEmbedding.load(path), "must be a number of bytes")


def test_a_table_that_unpacks_without_end_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(ali_core.foreign, "FLOOR", 1 << 22)
    (tmp_path / "cells.csv.gz").write_bytes(gzip.compress(b"label,x\n" + b"a,1\n" * 2_000_000))
    refused(lambda: LabelledEmbedding.load(tmp_path / "cells.csv.gz"), "set ALI_MOST_BYTES to more")


@pytest.mark.parametrize("shape", ["(1000000000000, 8)", "(-1, 8)", "(8, 8), " + "(" * 200])
def test_an_array_that_claims_more_than_its_file_holds_is_refused(tmp_path, shape):
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}}}\n".encode()
    data = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(64)
    (tmp_path / "cells.npy").write_bytes(data)
    with zipfile.ZipFile(tmp_path / "cells.npz", "w") as archive:
        archive.writestr("vectors.npy", data)
    for name in ("cells.npy", "cells.npz"):
        refused(lambda name=name: LabelledEmbedding.load(tmp_path / name), name)


@POSIX
def test_an_hdf5_file_whose_reading_does_not_end_or_crashes_is_given_up(tmp_path, monkeypatch):
    path = LabelledEmbedding(np.eye(4, dtype=np.float32), list("aabb")).save(tmp_path / "cells.h5ad")
    faults = {"while True: pass": "reading it does not end", "os.kill(os.getpid(), 11)": "the reader ended with -11"}
    for fault, said in faults.items():
        with monkeypatch.context() as changed:
            changed.setattr(ali_core.hdf5, "SECONDS", 1)
            changed.setattr(ali_core.hdf5.hdf5_walk, "walk", lambda *_, fault=fault: exec(fault, {"os": os}))
            refused(lambda: LabelledEmbedding.load(path), said)


@POSIX
def test_without_a_copy_of_the_process_hdf5_files_are_walked_in_a_new_one(tmp_path, monkeypatch):
    path = LabelledEmbedding(np.eye(4, dtype=np.float32), list("aabb")).save(tmp_path / "cells.h5ad")

    def no_room():
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(os, "fork", no_room)
    assert len(LabelledEmbedding.load(path)) == 4
    with monkeypatch.context() as changed:
        changed.setenv("ALI_MOST_BYTES", "10")
        refused(lambda: LabelledEmbedding.load(path), "ALI_MOST_BYTES")
    walk = tmp_path / "walk.py"
    walk.write_text("import resource, sys\nresource.setrlimit(resource.RLIMIT_CPU, (1, 2))\nwhile True: pass\n")
    monkeypatch.setattr(ali_core.hdf5.hdf5_walk, "__file__", str(walk))
    refused(lambda: LabelledEmbedding.load(path), "reading it does not end")


@POSIX
def test_devices_and_pipes_are_not_opened(tmp_path):
    for name, kind in (("s.json", "session"), ("settings.toml", "settings"), ("cells.npz", ".npz"), ("a.csv", ".csv")):
        os.mkfifo(tmp_path / name)
        (tmp_path / "made").mkdir(exist_ok=True)
        reader = make(kind, tmp_path / "made")[2]
        refused(lambda reader=reader, name=name: reader(tmp_path / name), "a device or a pipe")
    refused(lambda: make("session", tmp_path / "made")[2](ali_core.hdf5.Path("/dev/zero")), "a device or a pipe")


@pytest.mark.parametrize("kind", ["session", "settings", "experiment"])
def test_deep_nesting_is_one_line(tmp_path, kind):
    suffix, path, reader = make(kind, tmp_path)
    path.write_text('{"a":' * 100_000 if suffix == ".json" else "a = " + "[" * 100_000)
    refused(lambda: reader(path), path.name)


def test_long_values_are_clipped(tmp_path):
    path = tmp_path / "session.json"
    Session(LabelledEmbedding(np.eye(4), list("aabb"))).save(path)
    content = json.loads(path.read_text())
    content["embedding"]["file"] = "x" * 100_000
    path.write_text(json.dumps(content))
    refused(lambda: session_embedding(path), "without a folder")
    assert len(str(AliError("x" * 10**6))) < 200
    assert len(str(AliError("ab " * 10**6))) <= 2000


def one_line(capsys):
    said = capsys.readouterr().err.splitlines()
    assert len(said) == 1, said
    assert said[0].startswith("ali: ")
    return said[0]


def test_what_nobody_has_foreseen_is_one_line_and_the_details_are_kept(tmp_path, monkeypatch, capsys):
    def fails(*_, **__):
        raise KeyError("x" * 5000)

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("ali_core.cli.options.read_embedding", fails, raising=False)
    monkeypatch.setattr("ali_core.cli.interventions.read_embedding", fails, raising=False)
    LabelledEmbedding(np.eye(4), list("aabb")).save(tmp_path / "cells.npz")
    assert run(["intervene", str(tmp_path / "cells.npz"), "--out", str(tmp_path / "out")]) == 1
    line = one_line(capsys)
    assert "this was not foreseen: KeyError" in line
    assert len(line) < 700
    (kept,) = tmp_path.glob("ali-error-*.txt")
    assert kept.name in line
    assert kept.stat().st_mode & 0o777 == 0o600
    assert "in fails" in kept.read_text()


@pytest.mark.skipif(sys.platform != "linux", reason="file names of any bytes")
def test_a_file_name_that_is_not_unicode_is_one_line(tmp_path, capsys):
    name = os.fsdecode(os.fsencode(tmp_path) + b"/\xff.npz")
    assert run(["intervene", name]) == 2
    assert "not Unicode" in one_line(capsys)


def test_damaged_settings_of_a_run_are_one_line_under_figures(tmp_path, capsys):
    folder = tmp_path / "run"
    folder.mkdir()
    for name in ("run.json", "epochs.csv", "timing.csv", "result.json", "last.json", "parts.csv"):
        (folder / name).write_text("{" if name.endswith("json") else "\0\n")
    (folder / "settings.toml").write_text("a = " + "[" * 5000)
    assert run(["figures", str(folder), "--out", str(tmp_path / "out")]) == 1
    one_line(capsys)


def test_neither_a_command_nor_the_studio_asks_another_machine(tmp_path, monkeypatch):
    asked = []

    def asks(*address):
        asked.append(address)
        raise OSError("no network in this test")

    monkeypatch.setattr(socket.socket, "connect", asks)
    monkeypatch.setattr(socket, "getaddrinfo", asks)
    cells = str(LabelledEmbedding(np.eye(4), list("aabb")).save(tmp_path / "cells.npz"))
    assert run(["data", "check", cells]) == 0
    assert run(["intervene", cells, "--iterations", "2", "--out", str(tmp_path / "out")]) == 0
    studio = Studio(tmp_path / "out")
    studio.step()
    studio.close()
    assert asked == []
    with pytest.raises(OSError, match="no network in this test"):
        socket.create_connection(("127.0.0.1", 9), timeout=1)
    assert len(asked) == 1
