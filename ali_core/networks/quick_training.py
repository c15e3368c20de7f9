"""A small network trained from scratch in under a minute, for demonstrations without any weights file.

Synopsis::

    net = train_triplet(images, px=64, seed=0)
"""

from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import Tensor
from torch.optim.swa_utils import update_bn
from tqdm.auto import tqdm

from ali_core.data import CellImages
from ali_core.errors import AliError
from ali_core.networks.devices import choose_device
from ali_core.networks.embed import to_input
from ali_core.networks.embedding_net import EmbeddingNet

__all__ = ["train_triplet", "turn_and_flip"]


def train_triplet(
    images: CellImages,
    *,
    backbone: str = "resnet18",
    width: int = 64,
    px: int = 64,
    epochs: int = 4,
    batch_size: int = 64,
    margin: float = 0.1,
    learning_rate: float = 1e-3,
    seed: int = 0,
    device: str = "auto",
    progress: bool = True,
    on_epoch: Callable[[int, float], None] | None = None,
) -> EmbeddingNet:
    r"""Train a network from random weights with the triplet margin loss.

    .. math:: L = \mathrm{mean}_{(a, p, n):\, l > 0}\; l, \qquad l = |x_a - x_p| - |x_a - x_n| + m

    over all triplets of a batch that violate the margin m, with the L2 distance of embeddings x that are divided by
    their L2 norm. The network itself does so (``net.normalise``), so that the loss, statistics and classifiers see
    the same vectors.

    Parameters
    ----------
    images
        N images with labels; they are decoded once and kept in memory (N · px² · 3 bytes).
    backbone, width, px
        The network: see :class:`~ali_core.networks.embedding_net.EmbeddingNet`.
    epochs
        Passes over the images. The learning rate rises and falls once over all of them (OneCycle).
    batch_size
        Images per step, drawn without regard to classes. The last, incomplete batch of an epoch is left out.
    margin
        m above.
    learning_rate
        The highest one, of Adam.
    seed
        The same seed gives the same network on the same machine; torch's global generator is left as it was.
    device
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    progress
        Whether to draw a progress bar.
    on_epoch
        Called with the number of the epoch, from 1, and its mean loss.

    Returns
    -------
    EmbeddingNet
        In evaluation mode, on the device it was trained on.

    Raises
    ------
    AliError
        When no class has two images, only one class has any, an image cannot be read, or the loss is NaN or infinite
        (names the epoch).

    Notes
    -----
    The running statistics of batch normalisation follow the data slowly (MobileNetV3 takes 1 % of each batch), too
    slowly for the few steps here. They are therefore computed afresh over the training images at the end.

    The defaults were chosen on 1,500 cells of synthetic marrow at 64 px: with ResNet-18, batches of 64 and a margin
    of 0.1 an RBF-SVM reaches a macro F1 of about 0.6 on unseen regions after four epochs, where MobileNetV3-small stays
    at 0.4 in the same time.
    """
    _check(images, epochs=epochs, batch_size=batch_size)
    where = choose_device(device)
    pixels = torch.tensor(images.load(np.arange(len(images)), px))
    labels = torch.tensor(images.labels)
    devices = [torch.cuda.current_device()] if where.type == "cuda" else []
    with torch.random.fork_rng(devices=devices):
        torch.manual_seed(seed)
        net = EmbeddingNet(backbone, width=width, normalise=True, px=px)
        net.to(where).to(memory_format=torch.channels_last)
        trainer = _Trainer(net, pixels, labels, batch_size=batch_size, margin=margin, seed=seed)
        trainer.prepare(learning_rate, epochs)
        for epoch in tqdm(range(1, epochs + 1), desc="training", unit="epoch", disable=not progress):
            loss = trainer.run_epoch(epoch)
            if on_epoch is not None:
                on_epoch(epoch, loss)
        trainer.settle_batch_norm()
    return net.eval()


def turn_and_flip(batch: Tensor, generator: torch.Generator) -> Tensor:
    """Turn each image of ``batch``, (B, H, H, 3), by a multiple of 90° and mirror it or not, all eight as likely."""
    up_down, left_right, transposed = torch.rand(3, len(batch), 1, 1, 1, generator=generator) < 0.5
    batch = torch.where(up_down, batch.flip(1), batch)
    batch = torch.where(left_right, batch.flip(2), batch)
    return torch.where(transposed, batch.transpose(1, 2), batch)


class _Trainer:
    """The state of one training: network, optimiser, data and the order they are drawn in."""

    def __init__(
        self, net: EmbeddingNet, pixels: Tensor, labels: Tensor, *, batch_size: int, margin: float, seed: int
    ) -> None:
        from pytorch_metric_learning.distances import LpDistance  # noqa: PLC0415  # slow, and only needed here
        from pytorch_metric_learning.losses import TripletMarginLoss  # noqa: PLC0415

        self.net, self.pixels, self.labels = net, pixels, labels
        self.batch_size = min(batch_size, len(pixels))
        self.generator = torch.Generator().manual_seed(seed)
        # The network normalises; the distance must not do so a second time by a rule of its own.
        self.loss = TripletMarginLoss(margin=margin, distance=LpDistance(normalize_embeddings=False, p=2))

    def prepare(self, learning_rate: float, epochs: int) -> None:
        """Make the optimiser and its schedule for ``epochs`` epochs."""
        self.optimiser = torch.optim.Adam(self.net.parameters(), lr=learning_rate)
        self.schedule = torch.optim.lr_scheduler.OneCycleLR(
            self.optimiser, max_lr=learning_rate, epochs=epochs, steps_per_epoch=len(self.pixels) // self.batch_size
        )

    def run_epoch(self, epoch: int) -> float:
        """Train on every complete batch once and return the mean loss."""
        self.net.train()
        losses = []
        for rows in self._batches():
            batch = turn_and_flip(self.pixels[rows], self.generator)
            loss = self.loss(self.net(self._as_input(batch)), self.labels[rows].to(self.net.mean.device))
            value = float(loss.detach())
            if not np.isfinite(value):
                raise AliError(
                    f"the loss became {value} in epoch {epoch}; "
                    f"use a learning_rate below {self.optimiser.defaults['lr']:g}"
                )
            self.optimiser.zero_grad()
            loss.backward()
            self.optimiser.step()
            self.schedule.step()
            losses.append(value)
        return float(np.mean(losses))

    def settle_batch_norm(self) -> None:
        """Compute the running statistics of batch normalisation afresh, as plain means over the training images."""
        update_bn((self._as_input(self.pixels[rows]) for rows in self._batches()), self.net)

    def _batches(self) -> Iterator[Tensor]:
        order = torch.randperm(len(self.pixels), generator=self.generator)
        complete = len(order) // self.batch_size * self.batch_size
        yield from order[:complete].view(-1, self.batch_size)

    def _as_input(self, batch: Tensor) -> Tensor:
        return to_input(batch.numpy(), self.net.mean.device)


def _check(images: CellImages, *, epochs: int, batch_size: int) -> None:
    if epochs < 1 or batch_size < 2:
        raise AliError(
            f"training needs at least 1 epoch and 2 images per batch; got epochs {epochs}, batch_size {batch_size}"
        )
    counts = np.bincount(images.labels)
    if np.count_nonzero(counts) < 2 or counts.max() < 2:
        raise AliError(
            "a triplet needs two images of one class and one of another; "
            f"got {len(images)} images of {np.count_nonzero(counts)} classes: add images"
        )
