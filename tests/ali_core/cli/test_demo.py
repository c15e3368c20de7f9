"""``ali demo``: what it trains, what Fig. 6 then shows, and what happens when there is too little to train on."""

import json
from contextlib import redirect_stdout
from io import StringIO

import numpy as np
import pandas as pd
import pytest

from ali_core import LabelledEmbedding, Session
from ali_core.cli import demo
from ali_core.cli.app import run
from ali_core.cli.demo_training import head_settings
from ali_core.files import read_csv
from ali_core.training import epochs

NAMES = ["blast", "monocyte", "lymphocyte"]


def cells(rng, counts, **options):
    labels = np.repeat(NAMES, counts)
    vectors = rng.normal(size=(len(labels), 5)) + 2 * (labels == "blast")[:, None]
    return LabelledEmbedding(vectors, labels, **options)


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """The embedding, the folder of a demo on it, and what the demo said."""
    folder = tmp_path_factory.mktemp("demo")
    embedding = cells(np.random.default_rng(4), [24, 18, 30], groups=["a", "b"] * 36)
    file = embedding.save(folder / "emb.npz")
    with redirect_stdout(StringIO()) as said:
        assert run(["demo", "--data", str(file), "--preset", "c", "--seed", "3", "--out", str(folder / "out")]) == 0
    return embedding, folder / "out", said.getvalue()


@pytest.fixture
def without_pictures(monkeypatch):
    monkeypatch.setattr(demo, "_draw", lambda *_: None)


def test_fig_6_shows_the_last_epoch_of_a_run_with_the_settings_of_the_demo(done):
    embedding, out, _ = done
    drawn = read_csv(out / "fig6.csv")
    drawn = drawn[drawn["view"] == "dims"]
    with epochs(embedding, head_settings(preset="c", seed=3).changed(groups="ignore")) as training:
        *_, before, following = training
    expected = {
        "Before": before.embedding,
        f"After {before.session.cursor} interventions": before.session.after,
        "After one more epoch": following.embedding,
    }
    assert list(drawn["state"].unique()) == list(expected)
    for title, state in expected.items():
        rows = drawn[drawn["state"] == title]
        assert rows["id"].astype(str).tolist() == state.sample_names.tolist()
        np.testing.assert_allclose(rows[["x", "y"]], state.vectors[:, :2], rtol=1e-5, atol=1e-6)


def test_fig_6_holds_the_training_fold_and_the_rest_all_cells(done):
    embedding, out, _ = done
    parts = pd.read_csv(out / "training" / "parts.csv")
    assert set(pd.read_csv(out / "fig6.csv")["id"]) == set(parts.loc[parts["part"] == "train", "id"])
    assert len(LabelledEmbedding.load(out / "embedding.npz")) == len(embedding)
    assert "48 cells that a linear head was trained on" in (out / "fig6.txt").read_text()
    session = Session.load(out / "session.json", LabelledEmbedding.load(out / "embedding.npz"))
    np.testing.assert_array_equal(session.before.vectors, embedding.vectors)


def test_the_demo_says_what_each_number_is_of(done):
    _, out, said = done
    result = json.loads((out / "training" / "result.json").read_text())
    start = pd.read_csv(out / "training" / "epochs.csv")["test_f1"][0]
    told = f"{start:.3f} before training, {result['test_f1']:.3f} at epoch {result['best_epoch']}"
    assert f"macro F1 of an RBF-SVM on the run's test fold: {told}" in said
    assert "the folds of this training split groups, because 2 groups cannot be kept whole in 6 folds\n" in said
    numbers = [line[1] for line in said.splitlines() if line.startswith("[")]
    assert numbers == list("12345")


def test_its_last_five_lines_say_what_was_seen_and_what_to_do_next(done):
    _, out, said = done
    fig6, fig3, scores, app, own = said.splitlines()[-5:]
    assert fig6.startswith(f"{out / 'fig6.pdf'}: ")
    assert fig3.startswith(f"{out / 'fig3.pdf'}: ")
    table = pd.read_csv(out / "scores.csv")
    untouched, oracle = (table.loc[table["condition"] == name, "macro_f1"].mean() for name in ("untouched", "oracle"))
    assert f"{untouched:.3f} as embedded; {oracle:.3f} where labels moved the cells" in scores
    assert app.endswith(f"ali lab {out}")
    assert own.endswith("ali demo --data FILE")


def test_with_too_few_cells_for_folds_fig_6_has_two_columns_and_the_reason_is_told(tmp_path, rng, capsys):
    file = cells(rng, [5, 4, 5]).save(tmp_path / "emb.npz")
    out = tmp_path / "out"
    assert run(["demo", "--data", str(file), "--out", str(out)]) == 0
    assert "Fig. 6 has no third column: 6 folds need a class with as many samples" in capsys.readouterr().out
    assert pd.read_csv(out / "fig6.csv")["state"].nunique() == 2


def test_a_second_demo_replaces_its_own_run_and_no_other(tmp_path, rng, capsys, without_pictures):
    file = cells(rng, [24, 18, 30]).save(tmp_path / "emb.npz")
    out = tmp_path / "out"
    for seed in ("0", "1"):
        assert run(["demo", "--data", str(file), "--seed", seed, "--out", str(out)]) == 0
    assert "seed = 1\n" in (out / "training" / "settings.toml").read_text()
    other = tmp_path / "other"
    (other / "training").mkdir(parents=True)
    (other / "training" / "thesis.txt").write_text("mine")
    assert run(["demo", "--data", str(file), "--out", str(other)]) == 1
    assert "did not write" in capsys.readouterr().err
    assert [path.name for path in (other / "training").iterdir()] == ["thesis.txt"]


@pytest.mark.slow
def test_the_synthetic_demo_learns_from_cells_that_it_does_not_show(tmp_path, capsys):
    out = tmp_path / "out"
    assert run(["demo", "--n", "150", "--px", "32", "--out", str(out)]) == 0
    said = capsys.readouterr().out
    assert "150 cells of SYNTHETIC marrow, and 225 others" in said
    assert pd.read_csv(out / "fig6.csv")["state"].nunique() == 3
    assert "Synthetic marrow, 32 px" in (out / "fig6.txt").read_text()
    shown, learnt = (LabelledEmbedding.load(path) for path in (out / "embedding.npz", out / "training/embedding.npz"))
    assert shown.dim == learnt.dim == 64
    assert not set(shown.groups) & set(learnt.groups)
