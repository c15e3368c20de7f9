"""Several modules as one."""

import re
import shutil
import subprocess

import pytest

from ali_viz.picture import Picture
from ali_viz.picture.modules import as_one_module
from tests.ali_viz.picture.conftest import MODULES

FILES = {
    "base.js": "const STEP = 2;\nexport function twice(x) {\n  return STEP * x;\n}\n",
    "middle.js": """import { twice } from "./base.js";

const STEP = 1;
export const SIZE = twice(STEP + 4);
export class Box {}
""",
    "main.js": """import { Box, SIZE } from "./middle.js";
import { twice } from "./base.js";
export default [SIZE, twice(3), typeof new Box()];
""",
}


@pytest.fixture
def folder(tmp_path):
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    return tmp_path


@pytest.mark.browser
def test_names_within_a_module_stay_its_own(folder, page):
    script = """async source => (await import(
      URL.createObjectURL(new Blob([source], {type: 'text/javascript'})))).default"""
    assert page.evaluate(script, as_one_module(folder / "main.js")) == [10, 6, "object"]


def test_each_module_stands_once_before_those_that_need_it(folder):
    source = as_one_module(folder / "main.js")
    assert [source.count(f"const ${name} =") for name in ("base", "middle", "main")] == [1, 1, 0]
    assert source.index("const $base") < source.index("const $middle") < source.index("export default")


def test_the_widget_holds_all_modules_and_nothing_from_elsewhere():
    source = Picture._esm
    for path in MODULES.glob("*.js"):
        assert path.stem == "picture" or f"const ${path.stem} =" in source, path
    assert not re.findall(r"^\s*(?:import|export) (?!default)", source, re.MULTILINE)
    assert set(re.findall(r"https?://[^\s\"'`]+", source)) == {"http://www.w3.org/2000/svg"}
    assert len(source) < 100_000


def test_the_widget_is_one_module_that_can_be_read(tmp_path):
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    path = tmp_path / "picture.mjs"
    path.write_text(Picture._esm)
    subprocess.run(["node", "--check", str(path)], check=True)
