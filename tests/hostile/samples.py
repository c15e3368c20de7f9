"""A valid small file of every format that is read, and the reader that a damaged one is given to."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from ali_core import LabelledEmbedding, Session
from ali_core.data import open_images
from ali_core.data.decoding import decode_image

__all__ = ["KINDS", "make"]


def _embedding():
    rng = np.random.default_rng(0)
    labels = np.arange(90) % 3
    vectors = (rng.normal(size=(3, 4))[labels] + 0.1 * rng.normal(size=(90, 4))).astype(np.float32)
    return LabelledEmbedding(vectors, labels, ("blast", "band", "monocyte"), groups=[f"p{k % 5}" for k in range(90)])


def _saved(suffix):
    return lambda folder: _embedding().save(folder / f"cells{suffix}")


def _torch(folder):
    import torch

    content = {"features": torch.tensor(_embedding().vectors), "labels": torch.tensor(_embedding().labels)}
    torch.save(content, folder / "cells.pt")
    return folder / "cells.pt"


def _tensors(folder):
    from safetensors.numpy import save_file

    arrays = {"features": _embedding().vectors.copy(), "labels": _embedding().labels.copy()}
    save_file(arrays, folder / "cells.safetensors")
    return folder / "cells.safetensors"


def _npy(folder):
    np.save(folder / "cells.npy", _embedding().vectors)
    (folder / "cells.csv").write_text("label\n" + "\n".join(map(str, _embedding().labels)) + "\n")
    return folder / "cells.npy"


def _medmnist(folder):
    rng = np.random.default_rng(0)
    images = rng.integers(256, size=(6, 8, 8), dtype=np.uint8)
    np.savez(
        folder / "m.npz",
        train_images=images, train_labels=np.arange(6)[:, None] % 2, val_images=images, val_labels=np.arange(6) % 2,
    )  # fmt: skip
    return folder / "m.npz"


def _images(path):
    images = open_images(path)
    return images.load(range(min(len(images), 4)), 8)


def _table(folder):
    for number in range(4):
        Image.fromarray(np.full((8, 8, 3), 40 * number, np.uint8)).save(folder / f"{number}.png")
    lines = [f"{number}.png,{'ab'[number % 2]},p{number}" for number in range(4)]
    (folder / "labels.csv").write_text("path,label,group\n" + "\n".join(lines) + "\n")
    return folder / "labels.csv"


def _picture(suffix):
    def make(folder):
        pixels = np.random.default_rng(0).integers(256, size=(24, 20, 3), dtype=np.uint8)
        path = folder / f"cell{suffix}"
        Image.fromarray(pixels).save(path)
        return path

    return make


def _session(folder):
    session = Session(_embedding())
    session.run(3)
    session.undo()
    session.step()
    return session.save(folder / "session.json")


def _head(folder):
    from ali_core.networks import save_network
    from ali_core.networks.feature_net import FeatureNet

    return save_network(FeatureNet(n_features=4, width=2), folder / "head.safetensors")


def _read_head(path):
    from ali_core.networks import load_feature_net

    return load_feature_net(path)


def _settings(folder):
    from ali_core.training.settings import TrainSettings

    return TrainSettings(method="ali", width=8, max_epochs=3, preset="c,s").write(folder / "settings.toml")


def _read_settings(path):
    from ali_core.training.settings import TrainSettings

    return TrainSettings.read(path)


def _experiment(folder):
    from ali_core.experiments.experiment import paper_file

    path = folder / "experiment.toml"
    path.write_text(paper_file().read_text())
    return path


def _read_experiment(path):
    from ali_core.experiments import Experiment

    return Experiment.read(path)


KINDS: dict[str, tuple[str, Callable[[Path], Path], Callable[[Path], object], float]] = {
    ".npz": (".npz", _saved(".npz"), LabelledEmbedding.load, 4),
    ".csv": (".csv", _saved(".csv"), LabelledEmbedding.load, 1),
    ".csv.gz": (".csv.gz", _saved(".csv.gz"), LabelledEmbedding.load, 1),
    ".parquet": (".parquet", _saved(".parquet"), LabelledEmbedding.load, 1),
    ".h5ad": (".h5ad", _saved(".h5ad"), LabelledEmbedding.load, 0.02),
    ".npy": (".npy", _npy, LabelledEmbedding.load, 1),
    ".pt": (".pt", _torch, LabelledEmbedding.load, 1),
    ".safetensors": (".safetensors", _tensors, LabelledEmbedding.load, 1),
    "MedMNIST": (".npz", _medmnist, _images, 4),
    "labels.csv": (".csv", _table, _images, 1),
    "PNG": (".png", _picture(".png"), lambda path: decode_image(path, 8), 3),
    "JPEG": (".jpg", _picture(".jpg"), lambda path: decode_image(path, 8), 1),
    "TIFF": (".tif", _picture(".tif"), lambda path: decode_image(path, 8), 1),
    "GIF": (".gif", _picture(".gif"), lambda path: decode_image(path, 8), 1),
    "BMP": (".bmp", _picture(".bmp"), lambda path: decode_image(path, 8), 1),
    "WEBP": (".webp", _picture(".webp"), lambda path: decode_image(path, 8), 1),
    "session": (".json", _session, lambda path: Session.load(path, _embedding()), 3),
    "head": (".safetensors", _head, _read_head, 3),
    "settings": (".toml", _settings, _read_settings, 2),
    "experiment": (".toml", _experiment, _read_experiment, 0.3),
}
"""By name: the suffix, how a valid file is made, who reads it, and its share of the mutations."""


def make(kind: str, folder: Path) -> tuple[str, Path, Callable[[Path], object]]:
    """Make a valid file; return its suffix, its path and its reader."""
    suffix, maker, reader, _ = KINDS[kind]
    return suffix, maker(folder), reader
