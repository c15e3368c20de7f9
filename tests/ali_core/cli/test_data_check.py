"""``ali data check`` finds what is planted, and nothing in sound data."""

import shlex

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from ali_core.cli.app import run

N = 60


@pytest.fixture
def frame(rng):
    table = pd.DataFrame(rng.normal(size=(N, 4)), columns=[f"f{i}" for i in range(4)])
    table["label"] = np.array(["a", "b", "c"])[np.arange(N) % 3]
    table["group"] = [f"p{i % 10}" for i in range(N)]
    return table


def checked(frame, tmp_path, capsys, *options):
    frame.to_csv(tmp_path / "t.csv", index=False)
    code = run(["data", "check", str(tmp_path / "t.csv"), *options])
    return code, capsys.readouterr().out


def test_sound_data_passes_and_the_command_goes_on(frame, tmp_path, capsys):
    code, out = checked(frame.rename(columns={"label": "cell type"}), tmp_path, capsys, "--label-column", "cell type")
    assert code == 0
    assert "60 samples, 4 dimensions (f0 … f3); label cell type, group group" in out
    assert "classes: a 20, b 20, c 20" in out
    assert "groups: 10, of 6 to 6 samples" in out
    words = shlex.split(out.splitlines()[-1].removeprefix("  uv run "))
    assert words[-2:] == ["--label-column", "cell type"]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(f4=(np.arange(N) % 3) * 2.0 + 1), "dimension 4 is a number of the class"),
        (lambda t: t.assign(label=np.where(np.arange(N) % 2, "train", "b")), "a class is called 'train'"),
        (lambda t: t.assign(group=t["label"]), "each group is one class"),
        (lambda t: t.assign(split=np.array(["train", "val", "test"])[np.arange(N) % 3]), "the given split divides"),
        (lambda t: t.assign(group=t["group"].where(np.arange(N) > 4)), "5 of 60 rows have an empty group"),
        (lambda t: t.assign(label="a"), "at least two classes"),
        (lambda t: t.assign(id=np.arange(N) // 2), "occurs 2 times"),
    ],
)
def test_what_must_be_mended_is_told_and_fails(frame, tmp_path, capsys, change, told):
    code, out = checked(change(frame), tmp_path, capsys)
    assert code == 1
    assert f"must be mended: {told}" in out or (told in out and "must be mended" in out)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        (lambda t: t.assign(f4=0.25), "1 of 5 dimensions are the same for all samples (4)"),
        (lambda t: t.assign(**{f"f{i}": t[f"f{i}"].where(np.arange(N) != 7, t[f"f{i}"][3]) for i in range(4)}), "(7)"),
        (
            lambda t: t.assign(label=t["label"].where(np.arange(N) > 0, "rare")),
            "fewer than 6 samples, one a fold: rare; leave them out with --exclude NAME",
        ),
        (lambda t: t[:15], "fewer than 6 samples, one a fold: a, b, c; take --n-folds 5"),
        (lambda t: t[:6], "fewer than 6 samples, one a fold: a, b, c; too few to train on and to test"),
    ],
)
def test_what_may_be_right_is_a_note(frame, tmp_path, capsys, change, told):
    code, out = checked(change(frame), tmp_path, capsys)
    assert code == 0
    assert told in out


def test_missing_and_damaged_images_are_all_counted(tmp_path, capsys):
    for name in ("a/0.png", "a/1.png", "b/0.png", "b/1.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        Image.new("RGB", (8, 8)).save(tmp_path / name)
    (tmp_path / "b/1.png").write_bytes(b"no image")
    (tmp_path / "labels.csv").write_text("path,label\na/0.png,a\na/1.png,a\nb/0.png,b\nb/1.png,b\nb/2.png,b\n")
    assert run(["data", "check", str(tmp_path)]) == 1
    out = capsys.readouterr().out
    assert "1 images are missing" in out
    assert "1 of 4 images cannot be used (b/1.png" in out
    assert run(["data", "check", str(tmp_path), "--skip-unreadable"]) == 0
    out = capsys.readouterr().out
    assert "note: 1 of 4 images cannot be used (b/1.png" in out
    assert f"{tmp_path.name}: 3 images\nclasses: a 2, b 1\n" in out  # what is left out does not count
    assert f"ali embed {tmp_path} --skip-unreadable --weights FILE" in out
    for name in ("a/0.png", "a/1.png", "b/0.png"):
        (tmp_path / name).write_bytes(b"no image")
    assert run(["data", "check", str(tmp_path), "--skip-unreadable"]) == 1
    assert "no image can be used" in capsys.readouterr().out
