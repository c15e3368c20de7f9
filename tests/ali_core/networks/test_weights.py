import json
import pickle
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torchvision.models import densenet121, shufflenet_v2_x0_5

from ali_core.errors import AliError
from ali_core.networks import EmbeddingNet, load_network, save_network

BACKBONE = "shufflenet_v2_x0_5"


@pytest.fixture
def images(rng) -> torch.Tensor:
    return torch.tensor(rng.random((4, 3, 32, 32), dtype="float32"))


@pytest.fixture
def state_dict() -> dict[str, torch.Tensor]:
    return shufflenet_v2_x0_5(weights=None).state_dict()


def load_message(path: Path, backbone: str = BACKBONE) -> str:
    with pytest.raises(AliError) as error:
        load_network(path, backbone=backbone)
    message = str(error.value)
    assert path.name in message
    assert "\n" not in message
    return message


def test_saved_network_comes_back_with_its_settings_and_numbers(tmp_path, images):
    net = EmbeddingNet(BACKBONE, width=8, normalise=True, px=32).eval()
    back = load_network(save_network(net, tmp_path / "net.safetensors"), backbone="densenet121")
    assert back.settings == net.settings == {"backbone": BACKBONE, "width": 8, "normalise": True, "px": 32}
    assert not back.training
    assert torch.equal(back(images), net(images))
    assert back.fingerprint() == net.fingerprint()
    assert [path.name for path in tmp_path.iterdir()] == ["net.safetensors"]


def test_network_in_another_memory_layout_is_saved(tmp_path, images):
    net = EmbeddingNet(BACKBONE, width=None).eval().to(memory_format=torch.channels_last)
    back = load_network(save_network(net, tmp_path / "net.safetensors"))
    torch.testing.assert_close(back(images), net(images))
    assert back.width is None


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_plain_state_dict_gives_the_features_before_the_classification(tmp_path, images, state_dict, suffix):
    path = tmp_path / f"plain{suffix}"
    save_file(state_dict, path) if suffix == ".safetensors" else torch.save(state_dict, path)
    net = load_network(path, backbone=BACKBONE)
    assert (net.width, net.dim, net.normalise) == (None, 1024, False)
    model = shufflenet_v2_x0_5(weights=None).eval()
    model.load_state_dict(state_dict)
    scaled = (images - net.mean) / net.std
    torch.testing.assert_close(model.fc(net(images)), model(scaled))


def test_first_densenet_files_of_torchvision_are_read(tmp_path):
    model = densenet121(weights=None)
    old = {
        key.replace("norm1.", "norm.1.").replace("norm2.", "norm.2.").replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2.") if "denselayer" in key else key: value
        for key, value in model.state_dict().items()
        if not key.endswith("num_batches_tracked")
    }  # fmt: skip
    assert any("denselayer1.norm.1.weight" in key for key in old)
    torch.save(old, tmp_path / "old.pth")
    net = load_network(tmp_path / "old.pth")
    key = "features.denseblock1.denselayer1.norm1.weight"
    assert torch.equal(net.backbone.state_dict()[key], model.state_dict()[key])


def test_missing_file_says_what_to_put_there(tmp_path):
    message = load_message(tmp_path / "densenet.pth", backbone="densenet121")
    assert "https://download.pytorch.org/models/densenet121" in message


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
@pytest.mark.parametrize("content", [b"", b"no weights", bytes(range(256)) * 8])
def test_file_without_weights_is_named(tmp_path, suffix, content):
    path = tmp_path / f"junk{suffix}"
    path.write_bytes(content)
    assert "not a readable weights file" in load_message(path)


def test_truncated_file_is_named(tmp_path, state_dict):
    path = tmp_path / "half.pth"
    torch.save(state_dict, path)
    path.write_bytes(path.read_bytes()[:100_000])
    assert "not a readable weights file" in load_message(path)


class RunsCode:
    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self):
        return (Path.touch, (self.target,))


@pytest.mark.parametrize("old_format", [True, False])
def test_code_in_a_file_never_runs(tmp_path, old_format):
    path, trace = tmp_path / "evil.pth", tmp_path / "it_ran"
    if old_format:
        path.write_bytes(pickle.dumps(RunsCode(trace)))
    else:
        torch.save({"weight": RunsCode(trace)}, path)
    assert "can run code" in load_message(path)
    assert not trace.exists()


def test_whole_model_is_refused(tmp_path):
    torch.save(shufflenet_v2_x0_5(weights=None), tmp_path / "model.pth")
    assert "state dict" in load_message(tmp_path / "model.pth")


def test_checkpoint_around_a_state_dict_is_refused(tmp_path, state_dict):
    torch.save({"epoch": 3, "state_dict": state_dict}, tmp_path / "checkpoint.pth")
    assert "'epoch'" in load_message(tmp_path / "checkpoint.pth")


def test_mismatch_counts_what_does_not_fit(tmp_path, state_dict):
    del state_dict["conv1.0.weight"]
    state_dict["conv9.weight"] = torch.zeros(1)
    state_dict["fc.weight"] = torch.zeros(11, 1024)
    path = tmp_path / "other.pth"
    torch.save(state_dict, path)
    message = load_message(path)
    assert BACKBONE in message
    for part in (
        "1 missing (first: conv1.0.weight)",
        "1 unexpected (first: conv9.weight)",
        "1 of another shape (first: fc.weight)",
    ):
        assert part in message
    assert "resnet18" in load_message(path, backbone="resnet18")


def test_other_format_version_is_refused(tmp_path):
    path = save_network(EmbeddingNet(BACKBONE, width=2), tmp_path / "net.safetensors")
    with safe_open(path, framework="pt") as file:
        about = json.loads(file.metadata()["ali_network"])
        tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118
    save_file(tensors, path, metadata={"ali_network": json.dumps({**about, "format_version": 99})})
    assert "99" in load_message(path)


def test_network_is_saved_to_safetensors_only(tmp_path):
    with pytest.raises(AliError, match="safetensors"):
        save_network(EmbeddingNet(BACKBONE, width=2), tmp_path / "net.pth")
