"""Images or features in, a labelled embedding out, in batches; with images, resumable.

Synopsis::

    embedding = embed_images(images, load_network("densenet121.pth"), px=160, out="emb.npz")
    embedding = embed_features(features, load_feature_net("runs/train/network.safetensors"))
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from tqdm.auto import tqdm

from ali_core.data import CellImages, PixelSource
from ali_core.data.pixels import check_readable
from ali_core.embedding import LabelledEmbedding
from ali_core.embedding_files import WRITTEN, format_of
from ali_core.errors import AliError
from ali_core.networks.devices import choose_device
from ali_core.networks.embedding_net import EmbeddingNet
from ali_core.networks.feature_net import FeatureNet
from ali_core.networks.partial_vectors import PartialVectors
from ali_core.samples import stand_in

__all__ = ["embed_features", "embed_images", "to_input"]

FEATURE_BATCH = 256

Rows = NDArray[np.int64]
Load = Callable[[Rows], NDArray[np.uint8]]
"""Returns the images at some rows, uint8 of shape (n, px, px, 3)."""


@dataclass(frozen=True, kw_only=True)
class _Work:
    """How images are embedded; see :func:`embed_images`."""

    px: int
    batch_size: int
    progress: bool
    device: torch.device


def embed_images(
    images: CellImages,
    net: EmbeddingNet,
    *,
    px: int,
    out: str | Path,
    batch_size: int = 64,
    progress: bool = True,
    device: str = "auto",
    skip_unreadable: bool = False,
) -> LabelledEmbedding:
    """Embed every image by ``net`` in evaluation mode, and save the embedding to ``out``.

    Finished batches are kept in ``<out>.partial/``. When the process is stopped, the same call continues behind
    them; with other images, another network or another ``px`` it starts anew and says so. ``out`` is written whole,
    and the folder removed, when all images are done.

    Parameters
    ----------
    images
        N images with labels of at least two classes.
    net
        The network; it is moved to the device.
    px
        Height and width at which the network sees the images.
    out
        Where the embedding is saved: ``.npz``, or another format of :class:`~ali_core.embedding.LabelledEmbedding`.
    batch_size
        Images per forward pass. With the same one, an interrupted and an uninterrupted run agree bit for bit.
    progress
        Whether to draw a progress bar.
    device
        ``auto``, ``cpu``, ``cuda``, ``mps``.
    skip_unreadable
        Whether images that cannot be read are left out. All images are decoded once before the network begins then, and
        those that are left out, missing ones among them, are named in a warning of the log.

    Returns
    -------
    LabelledEmbedding
        float32 vectors of shape (N, ``net.dim``) with all that is known of the images: labels, class names, ids,
        groups, split, metadata, colours.

    Raises
    ------
    AliError
        When images cannot be read (all of them are looked for, so that one run names them), images have no two classes,
        the network yields values that are not finite (names the image), or ``out``, ``px``, ``batch_size`` or the
        device cannot be used.
    """
    out = Path(out)
    _check(out, px=px, batch_size=batch_size)
    work = _Work(px=px, batch_size=batch_size, progress=progress, device=choose_device(device))
    if not skip_unreadable:
        return _embedded(images, lambda rows: _loaded(images, rows, px), net, out, work)
    with PixelSource.open(images, px, skip_unreadable=True) as source:
        return _embedded(source.images, source.take, net, out, work)


def _embedded(images: CellImages, load: Load, net: EmbeddingNet, out: Path, work: "_Work") -> LabelledEmbedding:
    unfilled = stand_in(images)  # labels and ids are checked now rather than after hours of work
    origin = {
        "images": images.fingerprint,
        "network": net.fingerprint(),
        "px": work.px,
        "number of images": len(images),
    }
    partial = PartialVectors.open(out.with_name(out.name + ".partial"), origin, width=net.dim)
    _fill(partial, images, load, net, work)
    embedding = unfilled.with_vectors(partial.read())
    embedding.save(out)
    partial.remove()
    return embedding


def embed_features(embedding: LabelledEmbedding, net: FeatureNet) -> LabelledEmbedding:
    """Embed features by a head in evaluation mode, where the head is.

    Parameters
    ----------
    embedding
        N samples of F features each, those that the head was trained on.
    net
        The head, for F features.

    Returns
    -------
    LabelledEmbedding
        float32 vectors of shape (N, ``net.dim``) with the labels, class names, ids and groups of the features.

    Raises
    ------
    AliError
        When the samples have another number of features than the head, or it yields values that are not finite.
    """
    if embedding.dim != net.n_features:
        raise AliError(
            f"the head was trained on {net.n_features} features, these samples have {embedding.dim}; give features of "
            "the same kind"
        )
    was_training = net.training
    net.eval()
    features = torch.tensor(embedding.vectors, dtype=torch.float32)
    with torch.inference_mode():
        parts = [net(batch.to(net.mean.device)).float().cpu() for batch in torch.split(features, FEATURE_BATCH)]
    net.train(was_training)
    return embedding.with_vectors(torch.cat(parts).numpy())


def to_input(batch: NDArray[np.uint8], device: torch.device) -> Tensor:
    """Return RGB images of shape (n, px, px, 3) as float32 in [0, 1], shape (n, 3, px, px), channels last in memory."""
    return torch.tensor(batch).to(device).permute(0, 3, 1, 2).float().div_(255.0)


def _check(out: Path, *, px: int, batch_size: int) -> None:
    known = format_of(out)
    if known is None or known.write is None:
        raise AliError(f"{out.name}: an embedding is written to {', '.join(WRITTEN)}; got {out.suffix!r}")
    for name, value in (("px", px), ("batch_size", batch_size)):
        if value < 1:
            raise AliError(f"{name} must be at least 1; got {value}")


def _loaded(images: CellImages, rows: Rows, px: int) -> NDArray[np.uint8]:
    """Return images; when one of them cannot be read, look for all others that cannot, and name them together."""
    try:
        return images.load(rows, px)
    except AliError:
        check_readable(images, px)
        raise


def _fill(partial: PartialVectors, images: CellImages, load: Load, net: EmbeddingNet, work: _Work) -> None:
    """Compute the rows that ``partial`` lacks."""
    was_training = net.training
    net.to(work.device).to(memory_format=torch.channels_last).eval()
    bar = tqdm(total=len(images), initial=partial.done, desc="embedding", unit="img", disable=not work.progress)
    try:
        while partial.done < len(images):
            rows = np.arange(partial.done, min(partial.done + work.batch_size, len(images)))
            with torch.inference_mode():
                vectors = net(to_input(load(rows), work.device)).float().cpu().numpy()
            bad = rows[~np.isfinite(vectors).all(axis=1)]
            if len(bad):
                raise AliError(
                    f"the network yields NaN or infinity for image {str(images.ids[bad[0]])!r}; "
                    "its weights are damaged: use another weights file"
                )
            partial.append(vectors)
            bar.update(len(rows))
    finally:
        bar.close()
        net.train(was_training)
