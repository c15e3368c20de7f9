"""Documents and code agree: commands with their options, public packages, methods of the app; examples run."""

import json
import re
import shlex
from pathlib import Path

import pytest
import typer

from ali_core.cli.app import app
from ali_viz import Studio
from tests.ali_viz.studio.clouds import cloud

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "benchmarks" / "README.md",
    *(ROOT / "docs").rglob("*.md"),
]
LESSONS = sorted((ROOT / "notebooks").glob("*.ipynb"))


def texts():
    for page in PAGES:
        if "_build" not in page.parts:
            yield page.name, page.read_text("utf-8")
    for lesson in LESSONS:
        for cell in json.loads(lesson.read_text("utf-8"))["cells"]:
            if cell["cell_type"] == "markdown":
                yield lesson.name, "".join(cell["source"])


def called():
    """Yield each call of ``ali`` in a block or between backticks, as words, with the name of its page."""
    for name, text in texts():
        blocks = re.findall(r"^```\n(.*?)^```$", text, flags=re.DOTALL | re.MULTILINE)
        lines = [line for block in blocks for line in block.replace("\\\n", " ").splitlines()]
        inline = [words for words in re.findall(r"`(ali [^`]+)`", text) if words != "ali on ce"]  # a label
        for line in [*lines, *inline]:
            for part in re.split(r";|\|\||&&", line.split(" #")[0]):
                if found := re.match(r"\s*(?:do )?(?:uv run )?ali (.*)", part):
                    yield name, shlex.split(found[1])


def test_every_command_and_option_exists():
    unknown, n_called = [], 0
    for page, words in called():
        command, rest = typer.main.get_command(app), list(words)
        while rest and hasattr(command, "commands") and rest[0] in command.commands:
            command = command.commands[rest.pop(0)]
        options = {option for one in command.params for option in (*one.opts, *one.secondary_opts)} | {"--help"}
        if hasattr(command, "commands") and not {"COMMAND", *options} & set(rest):
            unknown.append(f"{page}: ali {' '.join(words)}")
        unknown += [
            f"{page}: {word} of ali {' '.join(words)}" for word in rest if word[:1] == "-" and word not in options
        ]
        n_called += 1
    assert unknown == []
    assert n_called > 50


def test_every_public_package_has_its_page():
    listed = re.findall(r"^   (ali_\S+)$", (ROOT / "docs" / "api.md").read_text("utf-8"), flags=re.MULTILINE)
    assert sorted(listed) == sorted(json.loads((ROOT / "tests" / "public_api.json").read_text()))


def test_the_page_of_the_app_names_every_method():
    page = (ROOT / "docs" / "studio.md").read_text("utf-8")
    named = set(re.findall(r"`(?:studio\.)?(\w+)[`(.]", page))
    assert {name for name in vars(Studio) if not name.startswith("_")} <= named


def run(page, tmp_path, monkeypatch, **lighter):
    """Run the one Python block of a page beside features of four classes, and return the names it leaves."""
    monkeypatch.chdir(tmp_path)
    cloud(names=("promonocyte", "monocyte", "lymphocyte", "platelet")).save("features.npz")
    (block,) = re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    for given, less in lighter.items():
        assert given in block
        block = block.replace(given, less)
    names = {}
    exec(compile(block, page, "exec"), names)
    return names


def test_the_first_steps_in_python_run(tmp_path, monkeypatch):
    names = run("docs/start.md", tmp_path, monkeypatch)
    assert names["session"].cursor == 25  # 25 by Ω, one taken back, one by hand
    assert Path("session.json").exists()


@pytest.mark.slow
def test_training_in_python_runs(tmp_path, monkeypatch):
    lighter = {"class_weights=True": "class_weights=True, max_epochs=4, evaluate_every=4, width=8, device='cpu'"}
    names = run("docs/training.md", tmp_path, monkeypatch, **lighter)
    history = names["state"].history.table()
    assert history["epoch"].tolist() == [0, 1, 2, 3, 4]
    assert history["n_steps"].tolist()[1:] == [25, 25, 25, 24]  # one was undone after the third
