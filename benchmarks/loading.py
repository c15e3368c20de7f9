"""Images for training: what augmentation costs beside a network, and reading ahead beside reading in turn.

    OMP_NUM_THREADS=1 uv run python -m benchmarks.loading

The augmented batch is timed against forward and backward of the smallest network on offer. Reading is timed over one
pass of JPEG files of 360 px at 224 px: by ``CellImages.load`` batch by batch, ahead by a ``PixelSource`` that may keep
nothing, and from one that keeps all; the consumer computes nothing, or as long as a batch takes to load.
"""

import os
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from PIL import Image
from torchvision.models import mobilenet_v3_small

from ali_core.data import Augmentation, CellImages, PixelSource
from ali_core.data.augmentation import plain

N_IMAGES, SIDE, PX, BATCH = 512, 360, 224, 64


def best(repeats, function):
    """Return the shortest of several runs in ms."""
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def augmentation_table():
    """Return ms per batch: plain, augmented, and the network, on one thread."""
    torch.set_num_threads(1)
    generator = torch.Generator().manual_seed(0)
    augment = Augmentation()
    net = mobilenet_v3_small(num_classes=64).to(memory_format=torch.channels_last)
    rows = []
    for batch_size, px in ((64, 64), (32, 224)):
        batch = torch.randint(0, 256, (batch_size, px, px, 3), dtype=torch.uint8, generator=generator)
        inputs = augment(batch, generator)
        row = {
            "B": batch_size,
            "px": px,
            "plain (ms)": best(20, lambda batch=batch: plain(batch)),
            "augmented (ms)": best(20, lambda batch=batch: augment(batch, generator)),
            "mobilenet_v3_small (ms)": best(5, lambda inputs=inputs: net(inputs).sum().backward()),
        }
        rows.append(row | {"share": row["augmented (ms)"] / row["mobilenet_v3_small (ms)"]})
    return pd.DataFrame(rows)


def write_images(folder):
    """Write smooth coloured noise, which compresses about as cells do."""
    rng = np.random.default_rng(0)
    paths = tuple(folder / f"{row:04}.jpg" for row in range(N_IMAGES))
    for path in paths:
        coarse = Image.fromarray(rng.integers(0, 256, (45, 45, 3), dtype=np.uint8))
        coarse.resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(path, quality=90)
    ids = np.array([path.stem for path in paths])
    return CellImages(labels=np.zeros(N_IMAGES, np.int64), class_names=("cell",), ids=ids, paths=paths)


def consumed(batches, seconds):
    """Go through ``batches``, computing (asleep, as beside a GPU) ``seconds`` each; return the time of all in ms."""

    def run():
        for _ in batches():
            time.sleep(seconds)

    return best(3, run)


def loading_table(images):
    """Return images per second of the three ways to read, with a consumer that is idle and one that computes."""
    order = np.random.default_rng(1).permutation(N_IMAGES)
    parts = [order[at : at + BATCH] for at in range(0, N_IMAGES, BATCH)]
    per_batch = best(3, lambda: images.load(parts[0], PX)) / 1e3
    rows = []
    with (
        PixelSource.open(images, PX, memory_limit_bytes=0) as ahead,
        PixelSource.open(images, PX) as kept,
    ):
        ways = {
            "CellImages.load in turn": lambda: (images.load(part, PX) for part in parts),
            "PixelSource, read ahead": lambda: ahead.batches(order, BATCH),
            "PixelSource, kept": lambda: kept.batches(order, BATCH),
        }
        for name, batches in ways.items():
            idle, busy = consumed(batches, 0.0), consumed(batches, per_batch)
            waited = 1.0 - len(parts) * per_batch * 1e3 / busy
            rows.append({"way": name, "images / s": N_IMAGES / idle * 1e3, "share of waiting, busy consumer": waited})
    return pd.DataFrame(rows)


def main():
    print(f"{os.cpu_count()} processors, torch {torch.__version__} on one thread")
    print(augmentation_table().to_string(index=False, float_format=lambda x: f"{x:.3g}"))
    with tempfile.TemporaryDirectory() as folder:
        images = write_images(Path(folder))
        print(f"\n{N_IMAGES} JPEG files of {SIDE} px at {PX} px, batches of {BATCH}")
        print(loading_table(images).to_string(index=False, float_format=lambda x: f"{x:.3g}"))


if __name__ == "__main__":
    main()
