"""The callback's plans against those computed apart, in a training by Lightning's Trainer."""

import numpy as np
import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

from ali_core import AliError, preset
from ali_core.interventions import ClassStatistics, plan
from ali_core.losses import InterventionLoss

pytestmark = [
    pytest.mark.slow,  # importing lightning takes 10 s
    # Lightning's advice to use more workers, given on machines with more cores: the data are in memory.
    pytest.mark.filterwarnings("ignore:.*does not have many workers:UserWarning"),
    # Lightning tells of submodules in evaluation mode: one is so on purpose.
    pytest.mark.filterwarnings("ignore:Found .* module.*in eval mode:UserWarning"),
    # Lightning's own use of a deprecated part of torch.
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*:FutureWarning"),
]

N_CLASSES = 3


@pytest.fixture
def data():
    generator = torch.Generator().manual_seed(3)
    labels = torch.arange(90) % N_CLASSES
    return TensorDataset(torch.randn(90, 6, generator=generator) + 2.0 * labels[:, None], labels)


def module(loss):
    from lightning.pytorch import LightningModule

    class Net(LightningModule):
        """A net whose dropout and batch norm embed otherwise in training mode; keeps its weights at epoch starts."""

        def __init__(self):
            super().__init__()
            self.net = torch.nn.Sequential(
                torch.nn.Linear(6, 8), torch.nn.BatchNorm1d(8), torch.nn.Dropout(0.5), torch.nn.Linear(8, 4)
            )
            self.net[1].eval()
            self.loss, self.starts, self.modes, self.losses, self.used = loss, [], [], [], []

        def forward(self, inputs):
            return self.net(inputs)

        def on_train_epoch_start(self):  # called after the callback's
            self.starts.append({name: value.clone() for name, value in self.state_dict().items()})
            self.modes.append([part.training for part in self.modules()])

        def training_step(self, batch, _):
            self.used.append(self.loss.transforms)
            value = self.loss(self(batch[0]), batch[1])
            self.losses.append(value.item())
            return value

        def configure_optimizers(self):
            return torch.optim.SGD(self.parameters(), lr=0.1)

    torch.manual_seed(0)
    return Net()


def fitted(net, data, callbacks, **options):
    from lightning.pytorch import Trainer

    options = {"max_epochs": 2, "accelerator": "cpu", "devices": 1} | options
    trainer = Trainer(
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        callbacks=callbacks,
        **options,
    )
    torch.manual_seed(1)
    trainer.fit(net, DataLoader(data, batch_size=30, shuffle=True))
    return trainer


def embedded(net, state, inputs):
    """The embedding of the weights ``state`` in evaluation mode."""
    net.load_state_dict(state)
    net.eval()
    with torch.no_grad():
        return net(inputs)


def test_each_epoch_uses_the_plan_of_the_embedding_at_its_start(data):
    from ali_core.training.lightning_callback import InterventionCallback

    settings = preset("c,s", 4)
    loss = InterventionLoss(settings, margin=0.2)
    callback = InterventionCallback(loss, DataLoader(data, batch_size=40), n_classes=N_CLASSES)
    net = module(loss)
    before = [part.training for part in net.modules()]
    fitted(net, data, [callback])

    assert len(net.starts) == 2
    assert net.modes == [before, before]
    inputs, labels = data.tensors
    for epoch, state in enumerate(net.starts):
        vectors = embedded(net, state, inputs).numpy()
        expected = plan(ClassStatistics.from_samples(vectors, labels.numpy(), N_CLASSES), settings).transforms
        for used in net.used[3 * epoch : 3 * epoch + 3]:
            np.testing.assert_allclose(used.offsets, expected.offsets, rtol=1e-4, atol=1e-5)
            np.testing.assert_allclose(used.scales, expected.scales, rtol=1e-9)
    assert callback.plan.transforms is loss.transforms is net.used[-1]
    assert np.abs(net.used[0].offsets - net.used[-1].offsets).max() > 1e-3


def test_random_numbers_go_on_as_without_it(data):
    from ali_core.training.lightning_callback import InterventionCallback

    runs = []
    for with_callback in (False, True):
        loss = InterventionLoss(preset("c,s", 4), margin=0.2, intervention_weight=0.0)
        loss.plan(np.random.default_rng(0).normal(size=(9, 4)), np.arange(9) % N_CLASSES)
        callback = InterventionCallback(loss, DataLoader(data, batch_size=40, shuffle=True), n_classes=N_CLASSES)
        net = module(loss)
        fitted(net, data, [callback] if with_callback else [])
        runs.append(net.losses)
    assert runs[0] == runs[1]


class Plane:
    """A projector to the first two principal axes; it counts its fits."""

    def __init__(self):
        self.fits = 0

    def fit(self, vectors):
        self.fits += 1
        self.axes = np.linalg.svd(vectors - vectors.mean(axis=0), full_matrices=False)[2][:2].T
        return self

    def transform(self, vectors):
        return vectors @ self.axes

    def forward(self, vectors):
        return vectors @ torch.as_tensor(self.axes, dtype=vectors.dtype)


def test_a_projector_is_fitted_anew_and_planned_on(data):
    from ali_core.training.lightning_callback import InterventionCallback

    settings, projector = preset("c,s", 2), Plane()
    loss = InterventionLoss(settings, margin=0.2, intervention_weight=0.9)
    callback = InterventionCallback(loss, DataLoader(data, batch_size=40), n_classes=N_CLASSES, projector=projector)
    net = module(loss)
    fitted(net, data, [callback])
    assert projector.fits == 2
    assert loss.projection == projector.forward
    inputs, labels = data.tensors
    layout = Plane().fit(vectors := embedded(net, net.starts[-1], inputs).numpy()).transform(vectors)
    expected = plan(ClassStatistics.from_samples(layout, labels.numpy(), N_CLASSES), settings).transforms
    np.testing.assert_allclose(callback.plan.transforms.offsets, expected.offsets, rtol=1e-3, atol=1e-4)
    assert expected.offsets.shape == (N_CLASSES, 2)


def test_batches_of_another_form_have_their_own_embed(data):
    from ali_core.training.lightning_callback import InterventionCallback

    inputs, labels = data.tensors
    batches = [{"cells": inputs[rows], "code": labels[rows]} for rows in torch.arange(90).split(25)]
    loss = InterventionLoss(preset("c,s", 4), margin=0.2)
    callback = InterventionCallback(
        loss, batches, n_classes=N_CLASSES, embed=lambda net, batch: (net(batch["cells"]).bfloat16(), batch["code"])
    )
    net = module(loss)
    fitted(net, data, [callback], max_epochs=1)
    vectors = embedded(net, net.starts[0], inputs).bfloat16().float().numpy()
    expected = plan(ClassStatistics.from_samples(vectors, labels.numpy(), N_CLASSES), preset("c,s", 4)).transforms
    np.testing.assert_allclose(callback.plan.transforms.offsets, expected.offsets, rtol=1e-4, atol=1e-5)


def test_half_precision_throughout_and_labels_as_a_dataset_has_them(data):
    from ali_core.training.lightning_callback import InterventionCallback

    inputs, labels = data.tensors
    names = ("blast", "monocyte", "lymphocyte")
    batches = [
        {"cells": inputs[rows], "label": [names[code] for code in labels[rows]]} for rows in torch.arange(90).split(25)
    ]
    loss = InterventionLoss(preset("c,s", 4), margin=0.2, class_names=names)
    callback = InterventionCallback(
        loss, batches, n_classes=N_CLASSES, embed=lambda net, batch: (net(batch["cells"]), batch["label"])
    )
    net = module(loss)
    as_bytes = TensorDataset(inputs, labels.to(torch.uint8)[:, None])
    fitted(net, as_bytes, [callback], max_epochs=1, precision="bf16-true")
    assert next(net.parameters()).dtype == torch.bfloat16
    net.to(torch.bfloat16)
    vectors = embedded(net, net.starts[0], inputs.bfloat16()).float().numpy()
    expected = plan(ClassStatistics.from_samples(vectors, labels.numpy(), N_CLASSES), preset("c,s", 4)).transforms
    np.testing.assert_allclose(callback.plan.transforms.offsets, expected.offsets, rtol=1e-2, atol=1e-2)
    assert np.isfinite(net.losses).all()


def test_what_cannot_work_is_told(data):
    from types import SimpleNamespace

    from ali_core.training.lightning_callback import InterventionCallback

    loss = InterventionLoss(preset("c,s", 4), margin=0.2)
    for projector in (None, Plane()):
        callback = InterventionCallback(loss, [], n_classes=N_CLASSES, projector=projector)
        with pytest.raises(AliError, match="yields no batch; give it the training set"):
            fitted(module(loss), data, [callback])
    with pytest.raises(AliError, match="one process alone; got 2 processes"):
        callback.on_fit_start(SimpleNamespace(world_size=2), None)
    inputs, labels = data.tensors
    for batches, options, told in (
        (
            [{"image": inputs, "label": labels}],
            {},
            r"dictionaries with image, label, not \(inputs, labels\).*embed=lambda",
        ),
        ([inputs], {}, "not \\(inputs, labels\\)"),
        ([(inputs, labels.float())], {}, "labels must be whole numbers"),
        ([(inputs * torch.nan, labels)], {}, "vectors must be finite; 90 of 90 rows"),
        ([(inputs, labels)], {"n_classes": 2}, "codes from 0 to 1 for 2 classes; got 2"),
    ):
        callback = InterventionCallback(loss, batches, **{"n_classes": N_CLASSES, **options})
        with pytest.raises(AliError, match=told):
            fitted(module(loss), data, [callback])
    flat = InterventionLoss(preset("c,s", 2), margin=0.2)
    callback = InterventionCallback(flat, [(inputs, labels)], n_classes=N_CLASSES)
    with pytest.raises(AliError, match="preset 'c,s' for 2 dimensions, but the vectors have 4"):
        fitted(module(flat), data, [callback])
