"""Training on images beside a plain PyTorch loop, in turns within one process.

    ALI_DATA=… OMP_NUM_THREADS=1 uv run python -m benchmarks.training_speed [--rounds 5]

DenseNet-121 with random weights at 64 px, channels last, on one thread: 256 images in memory, batches of 64, the same
augmentation, AdamW. The plain loop is what one writes with torchvision: backbone, linear layer, cross entropy. In each
round every loop trains one epoch, in an order that turns. Interventions need the training fold embedded before each
epoch; their peer is the plain loop that embeds it, too (evaluation mode, batches of 256). Images per CPU-second of the
whole process, and the ratio to the peer of the same round.
"""

import argparse
import os
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch import nn
from torch.nn import functional
from torchvision.models import densenet121
from torchvision.transforms.functional import normalize

from ali_core.data import Augmentation, open_images
from ali_core.networks.embedding_net import IMAGENET_MEAN, IMAGENET_STD
from ali_core.training import TrainSettings, epochs

N_TRAIN, PX, BATCH, WIDTH, EVALUATED = 256, 64, 64, 256, 256


class Plain:
    """A plain loop over pixels in memory."""

    def __init__(self, pixels, labels, n_classes, *, embeds):
        self.pixels, self.labels, self.embeds = torch.tensor(pixels), torch.tensor(labels), embeds
        self.net = densenet121(weights=None)
        self.net.classifier = nn.Linear(self.net.classifier.in_features, WIDTH)
        self.net.to(memory_format=torch.channels_last)
        self.head = nn.Linear(WIDTH, n_classes)
        self.optimiser = torch.optim.AdamW([*self.net.parameters(), *self.head.parameters()], lr=3e-4)
        self.augment, self.generator = Augmentation(), torch.Generator().manual_seed(0)

    def embed(self, inputs):
        """Return normalised embeddings of a batch."""
        points = self.net(normalize(inputs, IMAGENET_MEAN, IMAGENET_STD))
        return functional.normalize(points, dim=1)

    def epoch(self):
        """Train on every image once."""
        if self.embeds:
            self.net.eval()
            with torch.inference_mode():
                for at in range(0, len(self.pixels), EVALUATED):
                    batch = self.pixels[at : at + EVALUATED].permute(0, 3, 1, 2).float() / 255.0
                    self.embed(batch.contiguous(memory_format=torch.channels_last))
            self.net.train()
        for rows in torch.randperm(len(self.pixels)).split(BATCH):
            points = self.embed(self.augment(self.pixels[rows], self.generator))
            loss = functional.cross_entropy(self.head(points) / 0.1, self.labels[rows])
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()


class Ours:
    """A run of :func:`ali_core.training.epochs`, not scored while it is timed."""

    def __init__(self, images, **values):
        settings = TrainSettings(
            **values, weights="none", px=PX, batch_size=BATCH, width=WIDTH, learning_rate=3e-4, groups="ignore"
        ).changed(max_epochs=1000, evaluate_every=1000, patience=0, workers=1, device="cpu", fold=0)
        self.training = epochs(images, settings)
        next(self.training)  # the state before the first epoch, which is scored

    @property
    def rows(self):
        """Return which images are trained on."""
        return self.training.run.split.train

    def epoch(self):
        """Train on every image once."""
        next(self.training)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5, help="epochs of each loop, after one that is not counted")
    given = parser.parse_args()
    torch.set_num_threads(1)
    cells = open_images(Path(os.environ["ALI_DATA"]) / "pbc_dev", where=("clean_label", "1"))
    part = np.random.default_rng(0).choice(len(cells), N_TRAIN * 6 // 4, replace=False)
    images = cells.subset(np.sort(part))
    ours = {"ours, ce": Ours(images, method="ce"), "ours, ali on ce": Ours(images, method="ali", base="ce")}
    rows = ours["ours, ce"].rows
    data = images.load(rows, PX), images.labels[rows], images.n_classes
    loops = {"plain": Plain(*data, embeds=False), "plain, embedding": Plain(*data, embeds=True)} | ours
    for loop in loops.values():
        loop.epoch()
    seconds = []
    for number in range(given.rounds):
        names = list(loops)
        for name in names[number % 4 :] + names[: number % 4]:
            begun = time.process_time()
            loops[name].epoch()
            seconds.append({"round": number, "loop": name, "seconds": time.process_time() - begun})
    table = pd.DataFrame(seconds).pivot(index="round", columns="loop", values="seconds")[list(loops)]
    shown = pd.DataFrame({"images / CPU-second": len(rows) / table.median()})
    for name, peer in (("ours, ce", "plain"), ("ours, ali on ce", "plain, embedding"), ("ours, ali on ce", "plain")):
        ratios = table[peer] / table[name]
        shown.loc[name, f"of {peer}"] = f"{ratios.median():.3f} ({ratios.min():.3f} to {ratios.max():.3f})"
    print(f"{len(rows)} images of {PX} px, {given.rounds} rounds, one thread, torch {torch.__version__}")
    print(shown.fillna("").to_string(float_format=lambda x: f"{x:.1f}"))


if __name__ == "__main__":
    main()
