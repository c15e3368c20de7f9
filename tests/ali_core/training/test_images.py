"""Images end to end, on drawings of a few pixels."""

import numpy as np
import pytest
from PIL import Image

from ali_core import AliError
from ali_core.data import CellImages, open_images, render_marrow
from ali_core.networks import embed_images, load_network
from ali_core.training import epochs, train
from tests.ali_core.training.samples import small


def image_settings(**changes):
    values = {"backbone": "mobilenet_v3_small", "weights": "none", "px": 32, "width": 8, "max_epochs": 2, "workers": 1}
    return small(**(values | {"learning_rate": 1e-3} | changes))


@pytest.fixture(scope="module")
def cells():
    marrow = render_marrow(240, px=32, seed=0)
    rows = np.flatnonzero(np.isin(marrow.labels, np.argsort(-marrow.counts)[:3]))
    return CellImages(
        labels=np.unique(marrow.labels[rows], return_inverse=True)[1],
        class_names=("a", "b", "c"),
        ids=marrow.ids[rows],
        pixels=marrow.pixels[rows],
    )


@pytest.fixture
def folder(tmp_path, cells):
    place = tmp_path / "cells"
    for row, code in enumerate(cells.labels):
        path = place / cells.class_names[code] / f"{row:03d}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(cells.pixels[row]).save(path)
    return place


def test_a_network_is_trained_and_can_be_loaded_to_embed(cells, tmp_path):
    result = train(cells, image_settings(), out=tmp_path / "run")
    net = load_network(tmp_path / "run" / "network.safetensors")
    assert (net.backbone_name, net.width, net.px, net.normalise) == ("mobilenet_v3_small", 8, 32, True)
    again = embed_images(cells, net, px=32, out=tmp_path / "again.npz", progress=False)
    np.testing.assert_allclose(again.vectors, result.embedding.vectors, atol=1e-5)
    assert result.table.n_steps.tolist()[1:] == [25, 25]


def test_the_run_is_the_same_from_files_and_from_memory_and_when_resumed(cells, folder, tmp_path):
    memory = train(cells, image_settings(method="tml"))
    files = open_images(folder)
    order = np.argsort([int(name.split("/")[-1][:3]) for name in files.ids])
    with epochs(files.subset(order), image_settings(method="tml"), out=tmp_path / "run") as training:
        next(training), next(training)
    resumed = train(files.subset(order), image_settings(method="tml"), out=tmp_path / "run", resume=True)
    assert memory.table.loss.equals(resumed.table.loss)
    assert np.array_equal(memory.embedding.vectors, resumed.embedding.vectors)


def test_damaged_images_are_counted_and_named_or_left_out_when_asked(folder, tmp_path):
    damaged = sorted(folder.rglob("*.png"))[3:5]
    damaged[0].write_bytes(damaged[0].read_bytes()[:60])
    damaged[1].write_text("not an image")
    images = open_images(folder)
    with pytest.raises(AliError, match=rf"2 of {len(images)} images cannot be read: .*{damaged[0].name}"):
        train(images, image_settings())
    result = train(images, image_settings(skip_unreadable=True, max_epochs=1), out=tmp_path / "run")
    assert len(result.embedding) == len(images) - 2
    assert not any(path.name in name for path in damaged for name in result.embedding.ids)


def test_weights_that_are_not_there_are_asked_for(cells, tmp_path):
    with pytest.raises(AliError, match="there is no weights file"):
        train(cells, image_settings(weights=str(tmp_path / "mine.pth")))


def test_imagenet_weights_that_cannot_be_fetched_say_which_file_to_put_where(cells, tmp_path, monkeypatch):
    import torch

    def offline(*_, **__):
        raise OSError("no network")

    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr(torch.hub, "download_url_to_file", offline)
    with pytest.raises(
        AliError, match=r"put https://\S+/mobilenet_v3_small-\w+\.pth at .*checkpoints/mobilenet_v3_small"
    ):
        train(cells, image_settings(weights="imagenet"))


def test_a_plain_state_dict_gives_the_backbone_and_leaves_the_last_layer_new(tmp_path):
    import torch
    import torchvision

    from ali_core.networks import starting_network

    model = torchvision.models.mobilenet_v3_small()
    torch.save(model.state_dict(), tmp_path / "plain.pth")
    net = starting_network("mobilenet_v3_small", str(tmp_path / "plain.pth"), width=8, normalise=True, px=32)
    given = model.state_dict()
    for name, tensor in net.backbone.state_dict().items():
        assert (name in given and torch.equal(tensor, given[name])) or name.startswith("classifier.3"), name
    assert net.backbone.classifier[3].weight.shape[0] == 8
