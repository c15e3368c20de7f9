"""What is published: one version everywhere, a whole wheel, a small source archive, links that lead somewhere."""

import re
import shutil
import subprocess
import tomllib
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]


def test_the_version_is_the_same_everywhere():
    said = {
        "CITATION.cff": rf"^version: {re.escape(VERSION)}$",
        "CHANGELOG.md": rf"\A# Changelog\n\n## {re.escape(VERSION)} ",
        "docs/citing.md": rf"version = \{{{re.escape(VERSION)}\}}",
    }
    for name, text in said.items():
        assert re.search(text, (ROOT / name).read_text("utf-8"), re.MULTILINE), name


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The folder with the source archive, and the wheel that was built from it, without a network."""
    if shutil.which("uv") is None:
        pytest.skip("UV MISSING: pip install uv")
    out = tmp_path_factory.mktemp("dist")
    command = ["uv", "build", "--offline", "--out-dir", out]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return out


@pytest.mark.slow
def test_the_wheel_has_every_file_of_the_packages_and_all_lessons(built):
    (wheel,) = built.glob("*.whl")
    found = {name for name in zipfile.ZipFile(wheel).namelist() if ".dist-info/" not in name}
    here = {path.relative_to(ROOT) for package in ("ali_core", "ali_viz") for path in (ROOT / package).rglob("*")}
    files = {path.as_posix() for path in here if (ROOT / path).is_file() and "__pycache__" not in path.parts}
    lessons = {f"ali_viz/notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    assert found == files | lessons


@pytest.mark.slow
def test_the_source_archive_is_small_and_the_index_page_has_no_dead_link(built):
    (archive,) = built.glob("*.tar.gz")
    assert archive.stat().st_size < 1_000_000
    (wheel,) = built.glob("*.whl")
    (metadata,) = (name for name in zipfile.ZipFile(wheel).namelist() if name.endswith("METADATA"))
    page = Parser().parsestr(zipfile.ZipFile(wheel).read(metadata).decode()).get_payload()
    assert "uv run ali demo" in page
    assert [link for link in re.findall(r"\]\(([^)]*)\)", page) if not link.startswith("https://")] == []
