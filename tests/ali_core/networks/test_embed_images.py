import json
from dataclasses import replace

import numpy as np
import pytest
import torch

from ali_core import LabelledEmbedding
from ali_core.data import CellImages, open_images
from ali_core.errors import AliError
from ali_core.networks import EmbeddingNet, embed_images
from ali_core.networks.embed import to_input

N, PX = 22, 32


@pytest.fixture(scope="module")
def net() -> EmbeddingNet:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        return EmbeddingNet("shufflenet_v2_x0_5", width=5).eval()


@pytest.fixture
def images(rng) -> CellImages:
    return CellImages(
        labels=np.arange(N) % 3,
        class_names=("a", "b", "c"),
        ids=np.array([f"cell {i}" for i in range(N)]),
        groups=np.array(["left", "right"])[np.arange(N) % 2],
        pixels=rng.integers(0, 256, (N, PX, PX, 3), dtype=np.uint8),
    )


class Counting:
    """Images that count what is loaded, and raise when asked for the rows from ``fail_from`` on."""

    def __init__(self, images: CellImages, fail_from: int = N, error: BaseException | None = None) -> None:
        self.images, self.fail_from, self.error, self.loaded = images, fail_from, error, []

    def __getattr__(self, name):
        return getattr(self.images, name)

    def __len__(self):
        return len(self.images)

    def load(self, indices, px):
        if max(indices) >= self.fail_from:
            raise self.error
        self.loaded += list(indices)
        return self.images.load(indices, px)


def embed(images, net, out, **changes):
    return embed_images(images, net, **({"px": PX, "batch_size": 4, "out": out, "progress": False} | changes))


def test_vectors_are_what_the_network_yields(images, net, tmp_path):
    embedding = embed(images, net, tmp_path / "e.npz")
    inputs = torch.tensor(images.pixels).permute(0, 3, 1, 2).float() / 255
    with torch.inference_mode():
        expected = net(inputs).numpy()
    np.testing.assert_allclose(embedding.vectors, expected, rtol=1e-4, atol=1e-5)
    assert embedding.vectors.dtype == np.float32
    for name in ("labels", "ids", "groups"):
        np.testing.assert_array_equal(getattr(embedding, name), getattr(images, name))
    stored = LabelledEmbedding.load(tmp_path / "e.npz")
    assert stored.fingerprint == embedding.fingerprint
    assert [path.name for path in tmp_path.iterdir()] == ["e.npz"]


def test_batch_size_does_not_matter(images, net, tmp_path):
    one = embed(images, net, tmp_path / "a.npz", batch_size=1).vectors
    all_at_once = embed(images, net, tmp_path / "b.npz", batch_size=64).vectors
    np.testing.assert_allclose(one, all_at_once, rtol=1e-4, atol=1e-5)


def test_network_keeps_its_mode(images, net, tmp_path):
    net.train()
    embed(images, net, tmp_path / "a.npz")
    assert net.training
    net.eval()


@pytest.mark.parametrize("error", [KeyboardInterrupt(), AliError("x.png cannot be decoded")])
def test_interrupted_run_continues_where_it_stopped(images, net, tmp_path, error):
    whole = embed(images, net, tmp_path / "whole.npz")
    out = tmp_path / "e.npz"
    with pytest.raises(type(error)):
        embed(Counting(images, 9, error), net, out)
    assert not out.exists()
    again = Counting(images)
    resumed = embed(again, net, out)
    assert again.loaded == list(range(8, N))
    assert resumed.fingerprint == whole.fingerprint
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e.npz", "whole.npz"]


def test_another_batch_size_continues_too(images, net, tmp_path):
    with pytest.raises(KeyboardInterrupt):
        embed(Counting(images, 9, KeyboardInterrupt()), net, tmp_path / "e.npz")
    again = Counting(images)
    embed(again, net, tmp_path / "e.npz", batch_size=7)
    assert again.loaded == list(range(8, N))


@pytest.mark.parametrize("what", ["images", "network", "px"])
def test_other_inputs_start_anew_and_say_so(images, net, tmp_path, caplog, what):
    with pytest.raises(KeyboardInterrupt):
        embed(Counting(images, 9, KeyboardInterrupt()), net, tmp_path / "e.npz")
    changed = {
        "images": (replace(images, pixels=255 - images.pixels), net, PX),
        "network": (images, EmbeddingNet("shufflenet_v2_x0_5", width=5), PX),
        "px": (images, net, 2 * PX),
    }[what]
    fresh = embed(changed[0], changed[1], tmp_path / "fresh.npz", px=changed[2])
    again = Counting(changed[0])
    embedding = embed(again, changed[1], tmp_path / "e.npz", px=changed[2])
    assert again.loaded == list(range(N))
    assert embedding.fingerprint == fresh.fingerprint
    assert what in caplog.text
    assert "starting anew" in caplog.text


@pytest.mark.parametrize("damage", ["state", "rows"])
def test_damaged_leftovers_are_computed_again(images, net, tmp_path, damage):
    whole = embed(images, net, tmp_path / "whole.npz")
    with pytest.raises(KeyboardInterrupt):
        embed(Counting(images, 9, KeyboardInterrupt()), net, tmp_path / "e.npz")
    folder = tmp_path / "e.npz.partial"
    assert json.loads((folder / "state.json").read_text())["done"] == 8
    if damage == "state":
        (folder / "state.json").write_text("{")
    else:
        rows = folder / "vectors.f32"
        rows.write_bytes(rows.read_bytes()[: 4 * 5 * 4 + 3])
    again = Counting(images)
    assert embed(again, net, tmp_path / "e.npz").fingerprint == whole.fingerprint
    assert again.loaded == list(range(0 if damage == "state" else 4, N))


def test_last_batch_done_leaves_only_the_file_to_write(images, net, tmp_path, monkeypatch):
    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(LabelledEmbedding, "save", full_disk)
    with pytest.raises(OSError, match="space"):
        embed(images, net, tmp_path / "e.npz")
    monkeypatch.undo()
    again = Counting(images)
    embed(again, net, tmp_path / "e.npz")
    assert again.loaded == []


def test_values_that_are_not_finite_name_the_image(images, net, tmp_path):
    broken = EmbeddingNet("shufflenet_v2_x0_5", width=2)
    torch.nn.init.constant_(broken.backbone.fc.weight, float("nan"))
    with pytest.raises(AliError, match="'cell 0'"):
        embed(images, broken, tmp_path / "e.npz")


@pytest.mark.parametrize(
    ("changes", "match"),
    [({"px": 0}, "px"), ({"batch_size": 0}, "batch_size"), ({"device": "abacus"}, "abacus"), ({"out": "e.txt"}, "txt")],
)
def test_wrong_arguments_are_refused_before_any_work(images, net, tmp_path, changes, match):
    untouched = Counting(images)
    out = tmp_path / changes.pop("out", "e.npz")
    with pytest.raises(AliError, match=match):
        embed(untouched, net, out, **changes)
    assert untouched.loaded == []
    assert list(tmp_path.iterdir()) == []


def test_one_class_is_refused_before_any_work(images, net, tmp_path):
    one = Counting(images.subset(images.labels == 0))
    with pytest.raises(AliError, match="two classes"):
        embed(one, net, tmp_path / "e.npz")
    assert one.loaded == []


def test_input_is_scaled_and_channels_come_first(rng):
    batch = rng.integers(0, 256, (2, 4, 4, 3), dtype=np.uint8)
    tensor = to_input(batch, torch.device("cpu"))
    assert tensor.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(tensor.numpy()[1, 2, 3, 0], batch[1, 3, 0, 2] / 255, rtol=1e-6)


@pytest.fixture
def damaged(tmp_path):
    """Ten files in two classes, three of them damaged and one missing."""
    from PIL import Image

    for at in range(10):
        path = tmp_path / "cells" / "ab"[at % 2] / f"{at}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.random.default_rng(at).integers(0, 256, (PX, PX, 3), dtype=np.uint8)).save(path)
    for at in (3, 4, 8):
        path = tmp_path / "cells" / "ab"[at % 2] / f"{at}.png"
        path.write_bytes(path.read_bytes()[:50])
    (tmp_path / "cells" / "a" / "gone.png").symlink_to(tmp_path / "nowhere.png")
    return tmp_path / "cells"


def test_one_run_names_all_that_cannot_be_read(damaged, net, tmp_path, caplog):
    (damaged / "a" / "gone.png").unlink()
    with pytest.raises(
        AliError, match=r"3 of 10 images cannot be read: .*--skip-unreadable.*/4\.png.*/8\.png.*/3\.png"
    ):
        embed(open_images(damaged), net, tmp_path / "e.npz", batch_size=2)
    assert not (tmp_path / "e.npz").exists()


def test_the_rest_goes_on_without_what_cannot_be_read(damaged, net, tmp_path, caplog):
    images = open_images(damaged, skip_unreadable=True)
    found = embed(images, net, tmp_path / "e.npz", skip_unreadable=True)
    assert found.ids.tolist() == ["a/0.png", "a/2.png", "a/6.png", "b/1.png", "b/5.png", "b/7.png", "b/9.png"]
    rest = open_images(damaged, skip_unreadable=True)
    rest = rest.subset(np.isin(rest.ids, found.ids))
    assert np.array_equal(found.vectors, embed(rest, net, tmp_path / "rest.npz").vectors)
    for name in ("gone.png", "3.png", "4.png", "8.png"):
        assert name in caplog.text


def test_all_that_is_known_of_the_images_travels(images, net, tmp_path):
    import pandas as pd

    known = replace(
        images,
        labels=np.where(np.arange(N) == 5, -1, images.labels),
        split=np.array(["train", "test"])[np.arange(N) % 2],
        metadata=pd.DataFrame({"age": np.arange(N)}),
        colours={"a": "#ff0000"},
    )
    embed(known, net, tmp_path / "e.npz")
    found = LabelledEmbedding.load(tmp_path / "e.npz", unlabelled="keep")
    assert found.labels.tolist() == known.labels.tolist()
    assert found.split.tolist() == known.split.tolist()
    assert found.metadata.age.tolist() == list(range(N))
    assert found.colours == {"a": "#ff0000"}
