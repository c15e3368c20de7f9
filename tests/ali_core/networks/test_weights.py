import argparse
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
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


def body_of(state):
    return {key: value for key, value in state.items() if not key.startswith("fc.")}


def wrapped(prefix, state):
    return {prefix + key: value for key, value in state.items()}


FORMS = {
    "another head": lambda s: {**s, "fc.weight": torch.zeros(11, 1024), "fc.bias": torch.zeros(11)},
    "a head of layers": lambda s: {**body_of(s), "fc.0.weight": torch.zeros(9, 1024), "fc.3.bias": torch.zeros(9)},
    "a head elsewhere": lambda s: {**body_of(s), "projector.0.weight": torch.zeros(9, 1024)},
    "no head": body_of,
    "module.": lambda s: wrapped("module.", s),
    "model.backbone.": lambda s: {**wrapped("model.backbone.", body_of(s)), "loss.weight": torch.zeros(3)},
    "_orig_mod.module.": lambda s: wrapped("_orig_mod.module.", s),
    "a checkpoint": lambda s: {
        "epoch": 3, "state_dict": wrapped("model.", s), "optimizer": {"state": {0: {"m": s["fc.bias"]}}},
    },
    "a reference script": lambda s: {
        "model": s, "model_ema": wrapped("module.", {k: 0 * v for k, v in s.items()}), "args": argparse.Namespace(),
    },
    "scores beside": lambda s: {"best": np.float64(0.5), "state_dict": s},
    "float16": lambda s: {key: value.half() if value.is_floating_point() else value for key, value in s.items()},
    "without counters": lambda s: {key: value for key, value in s.items() if not key.endswith("num_batches_tracked")},
}  # fmt: skip


@pytest.mark.parametrize("form", FORMS)
def test_a_state_dict_is_found_in_whatever_form_it_was_saved(tmp_path, state_dict, form):
    # Numbers that half precision holds exactly, so that every form must give the same ones.
    state = {key: value.half().to(value) if value.is_floating_point() else value for key, value in state_dict.items()}
    torch.save(FORMS[form](state), tmp_path / "net.pth")
    own = load_network(tmp_path / "net.pth", backbone=BACKBONE).backbone.state_dict()
    assert own.keys() == body_of(state).keys()
    assert all(torch.equal(own[key], state[key]) and own[key].dtype == state[key].dtype for key in own)


def test_the_features_of_a_densenet_alone_are_enough(tmp_path):
    model = densenet121(weights=None)
    torch.save(model.features.state_dict(), tmp_path / "features.pth")
    own = load_network(tmp_path / "features.pth").backbone.state_dict()
    assert all(torch.equal(own[key], value) for key, value in model.state_dict().items() if key in own)
    assert len(own) == len(model.state_dict()) - 2


def test_names_with_numbers_are_those_of_other_networks(tmp_path):
    model = torchvision.models.mobilenet_v2(weights=None)  # its entries are called features.1.conv.1.weight
    torch.save(model.state_dict(), tmp_path / "mobile.pth")
    net = load_network(tmp_path / "mobile.pth", backbone="mobilenet_v2")
    key = "features.1.conv.1.weight"
    assert torch.equal(net.backbone.state_dict()[key], model.state_dict()[key])


def test_what_is_not_used_is_told(tmp_path, caplog, state_dict):
    torch.save(state_dict, tmp_path / "plain.pth")
    load_network(tmp_path / "plain.pth", backbone=BACKBONE)
    assert not caplog.messages
    torch.save({"state_dict": {**wrapped("net.", state_dict), "queue": torch.zeros(2)}}, tmp_path / "moco.pth")
    load_network(tmp_path / "moco.pth", backbone=BACKBONE)
    (told,) = caplog.messages
    for part in (
        "moco.pth",
        "'state_dict.net.' is taken off",
        "1 entries outside",
        "(state_dict.queue)",
        "classification",
    ):
        assert part in told


def test_two_networks_in_a_file_are_not_chosen_from(tmp_path, state_dict):
    torch.save({**wrapped("student.", state_dict), **wrapped("teacher.", state_dict)}, tmp_path / "dino.pth")
    message = load_message(tmp_path / "dino.pth")
    assert "2 networks" in message
    assert "'student.', 'teacher.'" in message


def test_another_backbone_is_refused_with_the_entries_that_differ(tmp_path, state_dict):
    del state_dict["conv1.0.weight"]
    state_dict["stage2.9.weight"] = torch.zeros(1)
    state_dict["conv5.0.weight"] = torch.zeros(11, 1024)
    state_dict["conv5.1.weight"] = torch.zeros(1024, dtype=torch.int8)
    path = tmp_path / "other.pth"
    torch.save(state_dict, path)
    message = load_message(path)
    assert BACKBONE in message
    for part in (
        "1 missing (conv1.0.weight)",
        "1 unexpected (stage2.9.weight)",
        "1 of another shape (conv5.0.weight (11, 1024) for (1024, 192, 1, 1))",
        "1 no floating-point numbers (conv5.1.weight)",
    ):
        assert part in message


def test_a_deeper_network_with_the_same_names_is_another_backbone(tmp_path):
    torch.save(torchvision.models.resnet34(weights=None).state_dict(), tmp_path / "deep.pth")
    message = load_message(tmp_path / "deep.pth", backbone="resnet18")
    assert "unexpected (layer1.2.conv1.weight, " in message
    assert "missing" not in message
    assert "lacks all of its" in load_message(tmp_path / "deep.pth", backbone="densenet121")


def test_auxiliary_classifiers_play_no_role(tmp_path):
    state = torchvision.models.googlenet(weights=None, init_weights=False).state_dict()
    for key in [key for key in state if key.startswith("aux2.")]:
        del state[key]
    state["aux1.fc2.weight"] = torch.zeros(7, 1024)
    torch.save(state, tmp_path / "inception.pth")
    own = load_network(tmp_path / "inception.pth", backbone="googlenet").backbone.state_dict()
    assert torch.equal(own["inception5b.branch1.conv.weight"], state["inception5b.branch1.conv.weight"])


@pytest.mark.parametrize("content", [{}, {"epoch": 3}, {"state_dict": {"epoch": 1}}, [torch.zeros(3)]])
def test_a_file_without_named_tensors_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "empty.pth")
    assert "holds no tensor by name" in load_message(tmp_path / "empty.pth")


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
