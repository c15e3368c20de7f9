"""Archives of arrays, lone arrays with a table beside them, and feature dumps of torch."""

import numpy as np
import pandas as pd
import pytest
import torch
from safetensors.torch import save_file

from ali_core import AliError, LabelledEmbedding

N = 8
LABELS = list("abababab")


@pytest.fixture
def vectors(rng):
    return rng.normal(size=(N, 4)).astype(np.float32)


def test_other_keys_are_found_or_named(tmp_path, vectors):
    path = tmp_path / "f.npz"
    np.savez(path, feats=vectors, target=LABELS, slide=list("ssttuuvv"), quality=np.arange(N) / N, note="by hand")
    with pytest.raises(AliError) as caught:
        LabelledEmbedding.load(path)
    assert "feats (8, 4), target (8,), slide (8,), quality (8,), note" in str(caught.value)
    assert "--label-column" in str(caught.value)
    found = LabelledEmbedding.load(path, label="target", group="slide")
    np.testing.assert_array_equal(found.vectors, vectors)
    assert found.groups[:3].tolist() == list("sst")
    assert found.metadata["quality"].tolist() == (np.arange(N) / N).tolist()
    assert found.read_as == "4 dimensions (feats); label target, group slide; kept as metadata: quality"


def test_several_matrices_must_be_chosen_from(tmp_path, vectors):
    path = tmp_path / "f.npz"
    np.savez(path, layer3=vectors, layer4=vectors * 2, y=LABELS)
    with pytest.raises(AliError, match=r"it has layer3, layer4 \(8, 4\), y \(8,\): choose with vectors="):
        LabelledEmbedding.load(path)
    np.testing.assert_array_equal(LabelledEmbedding.load(path, vectors="layer4").vectors, vectors * 2)
    with pytest.raises(AliError, match="no 'layer5' for vectors"):
        LabelledEmbedding.load(path, vectors="layer5")


def test_labels_of_one_column_are_a_row(tmp_path, vectors):
    np.savez(tmp_path / "f.npz", X=vectors, y=(np.arange(N) % 2)[:, None].astype(np.uint8))
    assert LabelledEmbedding.load(tmp_path / "f.npz").labels.tolist() == [0, 1] * 4


@pytest.mark.parametrize("end", [".csv", ".tsv.gz", ".txt", ".parquet"])
def test_a_lone_array_takes_the_table_beside_it(tmp_path, vectors, end):
    np.save(tmp_path / "f.npy", vectors)
    table = pd.DataFrame({"kind": LABELS, "path": [f"{i}.png" for i in range(N)], "area": np.arange(N) / 2})
    with pytest.raises(AliError, match=r"no labels or label or y; .* give a table with a row a sample by table="):
        LabelledEmbedding.load(tmp_path / "f.npy")
    if end == ".parquet":
        table.to_parquet(tmp_path / "f.parquet", index=False)
    else:
        table.to_csv(tmp_path / f"f{end}", index=False, sep="," if end == ".csv" else "\t")
    found = LabelledEmbedding.load(tmp_path / "f.npy", label="kind")
    np.testing.assert_array_equal(found.vectors, vectors)
    assert found.ids[:2].tolist() == ["0.png", "1.png"]
    assert (found.dim, list(found.metadata)) == (4, ["area"])
    (tmp_path / f"f{end}").rename(tmp_path / f"other{end}")
    again = LabelledEmbedding.load(tmp_path / "f.npy", label="kind", table=tmp_path / f"other{end}")
    assert again.labels.tolist() == found.labels.tolist()


def test_a_table_of_other_samples_is_refused(tmp_path, vectors):
    np.save(tmp_path / "f.npy", vectors)
    pd.DataFrame({"label": LABELS[:5]}).to_csv(tmp_path / "f.csv", index=False)
    with pytest.raises(AliError, match=r"f\.csv has 5 rows, f\.npy 8 vectors"):
        LabelledEmbedding.load(tmp_path / "f.npy")


def test_tensors_with_gradients_and_half_precision_are_taken():
    tensor = torch.arange(8.0).reshape(4, 2).requires_grad_()
    found = LabelledEmbedding(tensor, torch.tensor([0, 1, 0, 1]))
    np.testing.assert_array_equal(found.vectors, np.arange(8.0).reshape(4, 2))
    half = LabelledEmbedding(tensor.bfloat16(), list("abab"))
    assert half.vectors.dtype == np.float32
    np.testing.assert_array_equal(half.vectors, np.arange(8.0).reshape(4, 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16, torch.float64])
def test_feature_dumps_of_torch_are_read_without_running_code(tmp_path, dtype):
    features = torch.arange(N * 2.0).reshape(N, 2).to(dtype)
    content = {
        "out": {"features": features.requires_grad_(), "labels": torch.arange(N) % 2},
        "ids": [f"c{i}" for i in range(N)],
    }
    torch.save(content, tmp_path / "f.pt")
    found = LabelledEmbedding.load(tmp_path / "f.pt", label="out.labels")
    np.testing.assert_array_equal(found.vectors, np.arange(N * 2.0).reshape(N, 2))
    assert found.ids[1] == "c1"
    save_file({"X": features.detach(), "y": torch.arange(N) % 2}, tmp_path / "f.safetensors")
    np.testing.assert_array_equal(LabelledEmbedding.load(tmp_path / "f.safetensors").vectors, found.vectors)


@pytest.mark.parametrize("vectors", [[torch.ones(5, 2), torch.zeros(3, 2)], [torch.ones(2)] * 5 + [torch.zeros(2)] * 3])
@pytest.mark.parametrize(
    "labels", [[torch.tensor([0, 1, 0, 1, 0]), torch.tensor([1, 0, 1])], [torch.tensor(i % 2) for i in range(N)]]
)
def test_what_a_loop_has_collected_is_joined(tmp_path, vectors, labels):
    crops = [torch.zeros(3, 8, 8), torch.zeros(3, 9, 9)]  # no array, and in nobody's way
    torch.save({"vectors": vectors, "labels": labels, "crops": crops}, tmp_path / "f.pth")
    found = LabelledEmbedding.load(tmp_path / "f.pth")
    assert found.vectors.tolist() == [[1.0, 1.0]] * 5 + [[0.0, 0.0]] * 3
    assert found.labels.tolist() == [0, 1] * 4


def test_bytes_are_read_as_text(tmp_path, vectors):
    np.savez(tmp_path / "f.npz", X=vectors, y=np.array([label.encode() for label in LABELS]))
    assert LabelledEmbedding.load(tmp_path / "f.npz").class_names == ("a", "b")


class Trap:
    def __reduce__(self):
        return (print, ("this must never run",))


def test_python_objects_in_a_dump_are_never_opened(tmp_path, capsys):
    torch.save({"X": torch.eye(2), "y": Trap()}, tmp_path / "f.pt")
    with pytest.raises(AliError, match="never opened because they can run code"):
        LabelledEmbedding.load(tmp_path / "f.pt")
    assert "never run" not in capsys.readouterr().out
    torch.save({"X": torch.eye(2), "y": np.array(["a", "b"])}, tmp_path / "f.pt")
    with pytest.raises(AliError, match=r"arrays of numpy as torch\.from_numpy\(array\), or as array\.tolist\(\)"):
        LabelledEmbedding.load(tmp_path / "f.pt")
    (tmp_path / "g.pt").write_bytes(b"nothing")
    (tmp_path / "g.safetensors").write_bytes(b"nothing at all")
    (tmp_path / "g.npy").write_bytes(b"nothing")
    for name in ("g.pt", "g.safetensors", "g.npy"):
        with pytest.raises(AliError, match=name):
            LabelledEmbedding.load(tmp_path / name)
