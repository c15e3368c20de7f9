"""``ali embed`` on a folder as people have it: its own table, patients, files that cannot be read, 16 bits."""

import numpy as np
import pytest
import torch
from PIL import Image

from ali_core import LabelledEmbedding
from ali_core.cli.app import run
from ali_core.networks import EmbeddingNet, save_network

COLUMNS = ["--table", "annotations.csv", "--label-column", "cell_type", "--group-column", "patient"]


@pytest.fixture(scope="module")
def weights(tmp_path_factory):
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = EmbeddingNet("shufflenet_v2_x0_5", width=3)
    return save_network(net, tmp_path_factory.mktemp("net") / "net.safetensors")


@pytest.fixture
def folder(tmp_path):
    """Twelve 12-bit images in a folder, one of them damaged, one missing, and their table."""
    rng = np.random.default_rng(0)
    (tmp_path / "crops").mkdir()
    rows = ["filename,cell_type,patient,stain"]
    for at in range(12):
        Image.fromarray(rng.integers(0, 4096, (32, 32)).astype(np.uint16)).save(tmp_path / "crops" / f"{at}.png")
        rows.append(f"crops\\{at}.png,{'ab'[at % 2]},p{at // 3},giemsa")
    (tmp_path / "annotations.csv").write_text("\n".join(rows))
    damaged = tmp_path / "crops" / "4.png"
    damaged.write_bytes(damaged.read_bytes()[:60])
    (tmp_path / "crops" / "7.png").unlink()
    return tmp_path


def test_a_folder_with_its_own_table_is_embedded_without_what_cannot_be_read(folder, weights, capsys, caplog):
    out = folder / "emb.npz"
    arguments = ["embed", str(folder), *COLUMNS, "--weights", str(weights), "--px", "32", "--out", str(out)]
    assert run([*arguments, "--skip-unreadable", "--white", "4095"]) == 0
    told = capsys.readouterr().out
    assert "11 images, 2 classes: a 6, b 5; 4 groups; kept as metadata: stain; 1 missing" in told
    assert "2 of 12 images cannot be read and are left out" in caplog.text
    assert f"wrote {out}: 10 samples (1 of 11 left out)" in told
    assert "7.png" in caplog.text
    assert "4.png" in caplog.text
    found = LabelledEmbedding.load(out)
    assert found.ids.tolist() == [f"crops/{at}.png" for at in range(12) if at not in (4, 7)]
    assert found.groups.tolist() == [f"p{at // 3}" for at in range(12) if at not in (4, 7)]
    assert found.metadata.stain.tolist() == ["giemsa"] * 10


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ([], "1 of 12 images are missing"),
        (["--skip-unreadable"], "--white 4095"),
        (["--skip-unreadable", "--white", "bright"], "--white needs a number or range; got 'bright'"),
        (["--skip-unreadable", "--white", "-1"], "white must be a positive number or 'range'"),
    ],
)
def test_what_stops_it_names_the_option_that_helps(folder, weights, capsys, options, told):
    out = folder / "emb.npz"
    arguments = ["embed", str(folder), *COLUMNS, "--weights", str(weights), "--px", "32", "--out", str(out)]
    assert run([*arguments, *options]) in (1, 2)
    assert told in capsys.readouterr().err
    assert not out.exists()
