import subprocess
import sys

import pytest
import torch
from torch import nn

from ali_core.errors import AliError
from ali_core.networks import EmbeddingNet
from ali_core.networks.backbones import build_backbone, last_linear
from ali_core.networks.devices import choose_device

SMALL = ("mobilenet_v3_small", "shufflenet_v2_x0_5", "mnasnet0_5")


@pytest.fixture
def images(rng) -> torch.Tensor:
    return torch.tensor(rng.random((3, 3, 64, 64), dtype="float32"))


@pytest.mark.parametrize("backbone", SMALL)
@pytest.mark.parametrize("width", [5, None])
def test_embedding_has_the_width_asked_for(images, backbone, width):
    net = EmbeddingNet(backbone, width=width).eval()
    vectors = net(images)
    assert vectors.shape == (3, net.dim)
    assert vectors.dtype == torch.float32
    assert net.dim == (width or net.n_features)


@pytest.mark.parametrize(
    ("backbone", "path"),
    [("densenet121", "classifier"), ("resnet18", "fc"), ("vit_b_32", "heads.head"), ("inception_v3", "fc")],
)
def test_the_layer_replaced_is_the_one_that_classifies(backbone, path):
    with torch.device("meta"):
        found, layer = last_linear(build_backbone(backbone), backbone)
    assert (found, layer.out_features) == (path, 1000)


def test_normalised_embedding_is_the_other_divided_by_its_norm(images):
    net = EmbeddingNet(SMALL[0], width=6).eval()
    raw = net(images)
    net.normalise = True
    torch.testing.assert_close(net(images), raw / raw.norm(dim=1, keepdim=True))


def test_imagenet_scaling_happens_inside(images):
    net = EmbeddingNet(SMALL[0], width=None).eval()
    mean = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1)
    std = torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)
    torch.testing.assert_close(net(images), net.backbone((images - mean) / std))
    assert {"mean", "std"} <= set(net.state_dict())


def test_auxiliary_outputs_of_training_are_left_out(images):
    class WithAuxiliary(nn.Module):
        def forward(self, x):
            return x.mean((2, 3)), x

    net = EmbeddingNet(SMALL[0], width=3)
    net.backbone = WithAuxiliary()
    assert net(images).shape == (3, 3)


def test_fingerprint_follows_weights_and_settings():
    net = EmbeddingNet(SMALL[0], width=3)
    before = net.fingerprint()
    assert net.fingerprint() == before
    net.normalise = True
    other = net.fingerprint()
    with torch.no_grad():
        next(net.parameters()).view(-1)[0] += 1.0
    assert len({before, other, net.fingerprint()}) == 3


def test_unknown_backbone_proposes_the_nearest():
    with pytest.raises(AliError, match=r"'densnet121'.*densenet121"):
        EmbeddingNet("densnet121")


def test_backbone_without_linear_layer_is_refused():
    with pytest.raises(AliError, match=r"squeezenet1_1.*linear"):
        EmbeddingNet("squeezenet1_1")


def test_width_below_one_is_refused():
    with pytest.raises(AliError, match="width 0"):
        EmbeddingNet(SMALL[0], width=0)


def test_image_size_that_does_not_fit_is_named():
    net = EmbeddingNet("alexnet", width=2).eval()
    with pytest.raises(AliError, match="alexnet cannot take images of 16 px"):
        net(torch.zeros(1, 3, 16, 16))


def test_unknown_device_is_refused():
    assert choose_device("cpu").type == "cpu"
    assert choose_device("auto").type in ("cpu", "cuda", "mps")
    with pytest.raises(AliError, match=r"'abacus'.*auto"):
        choose_device("abacus")


def test_importing_the_package_imports_no_torchvision():
    code = "import sys, ali_core, ali_core.networks; print({'torch', 'torchvision'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "torchvision" not in done.stdout
