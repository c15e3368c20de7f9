"""The notebook of ``ali studio``: valid, about the right path, and nobody's file is overwritten."""

import ast
import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ali_core import AliError
from ali_viz.studio_notebook import LAB_ONLY, studio_notebook, write_studio_notebook


@pytest.fixture
def cells(tmp_path):
    path = tmp_path / "cells.npz"
    path.touch()
    return path


def arguments_of(notebook):
    """Return what the code cell gives to Studio: positional arguments and keywords."""
    code = [cell["source"] for cell in notebook["cells"] if cell["cell_type"] == "code"]
    assert len(code) == 1
    tree = ast.parse(code[0])
    (call,) = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    assert call.func.id == "Studio"
    assert isinstance(tree.body[-1], ast.Expr)  # the app is shown: its name ends the cell
    return [ast.literal_eval(value) for value in call.args], {
        word.arg: ast.literal_eval(word.value) for word in call.keywords
    }


def test_a_valid_notebook_with_the_absolute_path(cells, monkeypatch):
    monkeypatch.chdir(cells.parent)
    notebook = studio_notebook("cells.npz")
    nbformat.validate(notebook)
    assert notebook["metadata"]["kernelspec"]["name"] == "python3"
    assert arguments_of(notebook) == ([str(cells)], {})
    assert arguments_of(studio_notebook("cells.npz", ".")) == ([str(cells)], {"images": str(cells.parent)})
    text = notebook["cells"][0]
    assert text["metadata"]["tags"] == [LAB_ONLY]
    assert "cells.npz" in text["source"]


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0/"), min_size=1))
def test_any_name_of_a_file_survives_as_python(name):
    assert arguments_of(studio_notebook(f"/data/{name}")) == ([f"/data/{name}"], {})


def test_the_name_tells_file_or_folder(cells, tmp_path):
    assert write_studio_notebook(cells, tmp_path) == tmp_path / "studio-cells.ipynb"
    run = tmp_path / "run.1"
    run.mkdir()
    assert write_studio_notebook(run, tmp_path) == tmp_path / "studio-run.1.ipynb"
    assert json.loads((tmp_path / "studio-run.1.ipynb").read_text("utf-8")) == studio_notebook(run)
    assert not list(tmp_path.glob(".*"))


def test_the_current_folder_is_the_default(cells, tmp_path, monkeypatch):
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    assert write_studio_notebook(cells) == work / "studio-cells.ipynb"


def test_a_notebook_for_the_same_path_is_kept_with_what_was_added(cells, tmp_path):
    file = write_studio_notebook(cells, tmp_path)
    mine = nbformat.read(file, 4)
    mine.cells.append(nbformat.v4.new_code_cell("studio.session.table()"))
    nbformat.write(mine, file)
    before = file.read_bytes()
    assert write_studio_notebook(cells, tmp_path) == file
    assert file.read_bytes() == before


@pytest.mark.parametrize("content", ["", "not json", "[]", "{}", '{"metadata": null}', '{"metadata": {"ali": {}}}'])
def test_a_file_that_is_not_ours_is_left_alone(cells, tmp_path, content):
    theirs = tmp_path / "studio-cells.ipynb"
    theirs.write_text(content)
    second = write_studio_notebook(cells, tmp_path)
    assert second == tmp_path / "studio-cells-2.ipynb"
    assert theirs.read_text() == content
    assert write_studio_notebook(cells, tmp_path) == second


def test_another_path_or_other_images_get_another_notebook(cells, tmp_path):
    first = write_studio_notebook(cells, tmp_path)
    other = tmp_path / "elsewhere" / "cells.npz"
    other.parent.mkdir()
    other.touch()
    second = write_studio_notebook(other, tmp_path)
    third = write_studio_notebook(cells, tmp_path, images=tmp_path)
    assert [file.name for file in (first, second, third)] == [f"studio-cells{end}.ipynb" for end in ("", "-2", "-3")]
    assert arguments_of(json.loads(second.read_text("utf-8")))[0] == [str(other)]


def test_what_is_missing_is_said(cells, tmp_path):
    with pytest.raises(AliError, match=r"there is no file or folder .*nothing"):
        write_studio_notebook(tmp_path / "nothing", tmp_path)
    with pytest.raises(AliError, match=r"there is no file or folder .*no-images"):
        write_studio_notebook(cells, tmp_path, images=tmp_path / "no-images")
    with pytest.raises(AliError, match=r"cannot write .*go to a folder of your own"):
        write_studio_notebook(cells, cells)
    assert not list(tmp_path.glob("*.ipynb"))


@pytest.mark.parametrize("how", ["link", "writable by others"])
def test_a_notebook_that_somebody_else_may_have_written_is_not_taken(cells, tmp_path, how):
    first = write_studio_notebook(cells, tmp_path)
    assert first.stat().st_mode & 0o022 == 0
    if how == "link":
        first.rename(tmp_path / "elsewhere.ipynb")
        first.symlink_to(tmp_path / "elsewhere.ipynb")
    else:
        first.chmod(0o666)
    assert write_studio_notebook(cells, tmp_path) == tmp_path / "studio-cells-2.ipynb"
    assert write_studio_notebook(cells, tmp_path) == tmp_path / "studio-cells-2.ipynb"
