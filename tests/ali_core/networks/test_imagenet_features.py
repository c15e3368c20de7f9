"""Published DenseNet-121 features of real cells, computed elsewhere, are the oracle of the whole chain."""

import numpy as np
import pytest

from ali_core.data import open_images
from ali_core.networks import embed_images, load_network


def test_pooled_features_equal_the_published_ones(real_data, tmp_path):
    weights = real_data.parent / "weights" / "densenet121_imagenet.pth"
    if not weights.is_file():
        pytest.skip(f"REAL WEIGHTS MISSING: put densenet121_imagenet.pth into {weights.parent}")
    images = open_images(real_data / "pbc_dev").without_classes(["platelet"])
    images = images.subset(np.arange(0, len(images), len(images) // 5)[:5])
    embedding = embed_images(images, load_network(weights), px=160, out=tmp_path / "e.npz", progress=False)
    with np.load(real_data / "pbc_dev_features" / "densenet121_160px.npz") as published:
        row_of = {path: row for row, path in enumerate(published["path"].tolist())}
        expected = published["X"][[row_of[name] for name in images.ids.tolist()]].astype(np.float32)
    assert embedding.dim == 1024
    # float16 keeps eleven bits; what lies below is rounding of the two implementations.
    np.testing.assert_allclose(embedding.vectors, expected, rtol=2e-3, atol=2e-3)
