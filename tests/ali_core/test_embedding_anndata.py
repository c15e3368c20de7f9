"""AnnData as scanpy people have it, there and back."""

import numpy as np
import pandas as pd
import pytest
import scipy.sparse as sp

from ali_core import AliError, LabelledEmbedding, Session, preset

pytestmark = [
    pytest.mark.filterwarnings("ignore::FutureWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
]

N = 30
TYPES = ["monocyte", "blast", "band"]


@pytest.fixture
def adata(rng):
    import anndata

    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(np.array(TYPES)[np.arange(N) % 3], categories=TYPES, ordered=True),
            "donor": pd.Categorical([f"D{i % 5}" for i in range(N)]),
            "n_counts": np.arange(N),
        },
        index=[f"AAAC{i:03d}-1" for i in range(N)],
    )
    data = anndata.AnnData(sp.random(N, 200, density=0.1, format="csr", rng=0, dtype="float32"), obs=obs)
    data.obsm["X_pca"] = rng.normal(size=(N, 20)).astype("f4")
    data.obsm["X_umap"] = rng.normal(size=(N, 2)).astype("f4")
    return data


@pytest.mark.parametrize("from_file", [True, False])
def test_the_embedding_is_x_pca_and_the_names_are_those_of_the_cells(adata, tmp_path, from_file):
    named = {"label": "cell_type", "group": "donor"}
    if from_file:
        adata.write_h5ad(tmp_path / "cells.h5ad")
        found = LabelledEmbedding.load(tmp_path / "cells.h5ad", **named)
    else:
        found = LabelledEmbedding.from_anndata(adata, **named)
    np.testing.assert_array_equal(found.vectors, adata.obsm["X_pca"])
    assert found.class_names == tuple(TYPES)
    assert found.ids.tolist() == adata.obs_names.tolist()
    assert found.groups.tolist() == adata.obs["donor"].tolist()
    assert found.metadata["n_counts"].tolist() == list(range(N))
    assert (
        found.read_as == "20 dimensions (X_pca); label cell_type, group donor, id obs_names; kept as metadata: n_counts"
    )


def test_matrices_are_named_and_listed(adata):
    named = {"label": "cell_type"}
    assert LabelledEmbedding.from_anndata(adata, vectors="X_umap", **named).dim == 2
    assert LabelledEmbedding.from_anndata(adata, vectors="umap", **named).dim == 2
    dense = LabelledEmbedding.from_anndata(adata, vectors="X", **named)
    np.testing.assert_array_equal(dense.vectors, adata.X.toarray())
    with pytest.raises(AliError, match=r"no 'X_vae' for vectors; it has X \(200, sparse\), X_pca \(20\), X_umap \(2\)"):
        LabelledEmbedding.from_anndata(adata, vectors="X_vae", **named)
    with pytest.raises(AliError, match=r"it has cell_type \(category\), donor \(category\), n_counts \(int64\)"):
        LabelledEmbedding.from_anndata(adata)
    del adata.obsm["X_pca"]
    with pytest.raises(AliError, match=r"X \(200, sparse\), X_umap \(2\): choose with vectors="):
        LabelledEmbedding.from_anndata(adata, **named)


def test_a_sparse_matrix_that_would_not_fit_is_refused(adata, monkeypatch):
    monkeypatch.setattr("ali_core.embedding_anndata.MOST_BYTES", 1000)
    with pytest.raises(AliError, match=r"X of .* is sparse, 30 × 200, and takes 0\.0 GiB when it is dense"):
        LabelledEmbedding.from_anndata(adata, vectors="X", label="cell_type")


def test_names_that_anndata_made_up_are_none(adata):
    adata.obs_names = [str(row) for row in range(N)]
    assert LabelledEmbedding.from_anndata(adata, label="cell_type").ids is None


def test_cells_without_a_class_or_a_donor(adata):
    adata.obs["cell_type"] = adata.obs["cell_type"].where(np.arange(N) > 1)
    with pytest.raises(AliError, match=r"2 of 30 rows have an empty label \(first: row 0\)"):
        LabelledEmbedding.from_anndata(adata, label="cell_type")
    kept = LabelledEmbedding.from_anndata(adata, label="cell_type", unlabelled="keep")
    assert kept.labels[:3].tolist() == [-1, -1, 2]


def test_colours_of_scanpy_are_taken_over(adata):
    adata.uns["cell_type_colors"] = ["#112233", "#445566ff", "red"]
    found = LabelledEmbedding.from_anndata(adata, label="cell_type", colours={"band": "#000000"})
    assert found.colours == {"monocyte": "#112233", "blast": "#445566", "band": "#000000"}


def test_results_go_back_by_the_names_of_the_cells(adata, rng):
    embedding = LabelledEmbedding.from_anndata(adata, label="cell_type")
    session = Session(embedding, preset("c,s", dim=20))
    session.run(3)
    shuffled = adata[rng.permutation(N)[:20]].copy()
    part = session.after.subset(np.arange(5, N))
    part.to_obs(shuffled, {"picked": part.labels == 1, "row": np.arange(5, N)}, label="ali", vectors="X_ali")
    where = [adata.obs_names.get_loc(name) for name in shuffled.obs_names]
    for at, row in enumerate(where):
        inside = row >= 5
        assert shuffled.obs["picked"].iloc[at] == (inside and row % 3 == 1)
        assert shuffled.obs["ali"].isna().iloc[at] == (not inside)
        if inside:
            assert shuffled.obs["row"].iloc[at] == row
            assert shuffled.obs["ali"].iloc[at] == TYPES[row % 3]
            np.testing.assert_array_equal(shuffled.obsm["X_ali"][at], session.after.vectors[row])
    assert shuffled.obs["ali"].cat.categories.tolist() == TYPES


def test_writing_back_needs_names(adata):
    bare = LabelledEmbedding(np.eye(3), list("aab"))
    with pytest.raises(AliError, match="no ids to find cells by"):
        bare.to_obs(adata)
    other = LabelledEmbedding(np.eye(3), list("aab"), ids=list("xyz"))
    with pytest.raises(AliError, match=r"samples are called 'x' and so on, cells 'AAAC000-1'"):
        other.to_obs(adata)
    one = LabelledEmbedding.from_anndata(adata, label="cell_type")
    with pytest.raises(AliError, match=r"one value per sample, shape \(30,\); got \(2,\)"):
        one.to_obs(adata, {"short": [1, 2]})


def test_a_file_without_x_is_read(adata, tmp_path):
    import anndata

    bare = anndata.AnnData(obs=adata.obs, obsm={"X_scvi": adata.obsm["X_pca"]})
    bare.write_h5ad(tmp_path / "cells.h5ad")
    for found in (
        LabelledEmbedding.load(tmp_path / "cells.h5ad", label="cell_type"),
        LabelledEmbedding.from_anndata(bare, label="cell_type"),
    ):
        np.testing.assert_array_equal(found.vectors, adata.obsm["X_pca"])


def test_a_file_of_anndata_before_0_8_is_read_whole(adata, tmp_path):
    h5py = pytest.importorskip("h5py")
    adata.write_h5ad(tmp_path / "cells.h5ad")
    with h5py.File(tmp_path / "cells.h5ad", "a") as file:
        del file.attrs["encoding-type"], file.attrs["encoding-version"]
    found = LabelledEmbedding.load(tmp_path / "cells.h5ad", label="cell_type")
    np.testing.assert_array_equal(found.vectors, adata.obsm["X_pca"])
    assert found.ids.tolist() == adata.obs_names.tolist()


def test_a_part_of_the_cells_with_a_dense_matrix(adata):
    adata.X = adata.X.toarray()
    del adata.obsm["X_pca"], adata.obsm["X_umap"]
    half = adata[np.arange(N) % 2 == 0]
    np.testing.assert_array_equal(LabelledEmbedding.from_anndata(half, label="cell_type").vectors, adata.X[::2])


def test_a_file_is_read_where_many_others_are_open(adata, tmp_path):
    resource = pytest.importorskip("resource")
    adata.write_h5ad(tmp_path / "cells.h5ad")
    limit, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most != resource.RLIM_INFINITY and most < 1200:
        pytest.skip("this system allows fewer files")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limit, 1200), most))
    opened = [(tmp_path / "cells.h5ad").open("rb") for _ in range(1100)]
    try:
        assert len(LabelledEmbedding.load(tmp_path / "cells.h5ad", label="cell_type")) == N
    finally:
        for file in opened:
            file.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, most))
