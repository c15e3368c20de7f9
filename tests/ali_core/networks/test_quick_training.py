import numpy as np
import pytest
import torch

from ali_core.data import CellImages
from ali_core.errors import AliError
from ali_core.networks import train_triplet
from ali_core.networks.quick_training import turn_and_flip

QUICK = {"backbone": "shufflenet_v2_x0_5", "width": 8, "px": 32, "batch_size": 16, "device": "cpu", "progress": False}


@pytest.fixture
def coloured(rng) -> CellImages:
    """Images of three classes that differ by their colour, under noise."""
    labels = np.arange(48) % 3
    colours = np.array([[200, 80, 80], [80, 200, 80], [80, 80, 200]])[labels]
    pixels = colours[:, None, None] + rng.integers(-60, 55, (48, 32, 32, 3))
    return CellImages(
        labels=labels,
        class_names=("red", "green", "blue"),
        ids=np.arange(48).astype(str),
        pixels=pixels.astype(np.uint8),
    )


def embedded(net, images):
    inputs = torch.tensor(images.pixels).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        return net(inputs).numpy()


def neighbour_accuracy(vectors, labels):
    distances = np.linalg.norm(vectors[:, None] - vectors[None], axis=-1)
    np.fill_diagonal(distances, np.inf)
    return np.mean(labels[distances.argmin(axis=1)] == labels)


def test_classes_that_can_be_told_apart_are(coloured):
    losses = []
    net = train_triplet(
        coloured, **QUICK, epochs=40, learning_rate=3e-3, on_epoch=lambda epoch, loss: losses.append((epoch, loss))
    )
    assert [epoch for epoch, _ in losses] == list(range(1, 41))
    assert losses[-1][1] < losses[0][1]
    assert not net.training
    assert net.settings == {"backbone": "shufflenet_v2_x0_5", "width": 8, "normalise": True, "px": 32}
    vectors = embedded(net, coloured)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, rtol=1e-5)
    assert neighbour_accuracy(vectors, coloured.labels) > 0.95


def test_batch_normalisation_knows_the_training_images(coloured):
    """After so few steps, statistics that only follow the batches would be those of no image."""
    net = train_triplet(coloured, **QUICK, epochs=1)
    convolution, norm = net.backbone.conv1[0], net.backbone.conv1[1]
    inputs = torch.tensor(coloured.pixels).permute(0, 3, 1, 2).float() / 255
    with torch.no_grad():
        expected = convolution((inputs - net.mean) / net.std).mean((0, 2, 3))
    torch.testing.assert_close(norm.running_mean, expected, rtol=1e-4, atol=1e-5)
    assert np.isfinite(embedded(net, coloured)).all()


def test_same_seed_same_network(coloured):
    nets = [train_triplet(coloured, **QUICK, epochs=1, seed=seed).fingerprint() for seed in (5, 5, 6)]
    assert nets[0] == nets[1] != nets[2]


def test_global_state_of_torch_is_left_alone(coloured):
    before, threads = torch.random.get_rng_state(), torch.get_num_threads()
    train_triplet(coloured, **QUICK, epochs=1)
    assert torch.equal(torch.random.get_rng_state(), before)
    assert torch.get_num_threads() == threads


def test_batch_larger_than_the_collection_is_one_batch(coloured):
    vectors = embedded(train_triplet(coloured, **QUICK | {"batch_size": 500}, epochs=1), coloured)
    assert np.isfinite(vectors).all()


def test_loss_that_explodes_names_epoch_and_remedy(coloured):
    with pytest.raises(AliError, match=r"(nan|inf) in epoch \d.*learning_rate below 1e\+30"):
        train_triplet(coloured, **QUICK, epochs=9, learning_rate=1e30)


@pytest.mark.parametrize(
    ("rows", "arguments", "match"),
    [
        (slice(0, None, 3), {"epochs": 1}, "one class"),
        (slice(0, 3), {"epochs": 1}, "two images of one class"),
        (slice(0, None), {"epochs": 0}, "epochs 0"),
        (slice(0, None), {"epochs": 1, "batch_size": 1}, "batch_size 1"),
    ],
)
def test_what_gives_no_triplet_is_refused(coloured, rows, arguments, match):
    with pytest.raises(AliError, match=match):
        train_triplet(coloured.subset(np.arange(48)[rows]), **QUICK | arguments)


def test_turns_and_flips_are_the_eight_symmetries_of_the_square():
    image = torch.arange(12, dtype=torch.uint8).view(2, 2, 3)
    batch = turn_and_flip(image.expand(400, 2, 2, 3), torch.Generator().manual_seed(1))
    expected = {np.rot90(side, turns).tobytes() for side in (image.numpy(), image.numpy()[::-1]) for turns in range(4)}
    found = [item.numpy().tobytes() for item in batch]
    assert set(found) == expected
    assert min(found.count(item) for item in expected) > 25
