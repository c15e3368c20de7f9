"""What the page beside other tools says of the Studio rests on tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "studio-compared.md"


def rows():
    """Return the rows of the table of tests, each as what is said and the tests that are named for it."""
    lines = DOCUMENT.read_text("utf-8").split("## What the Studio's answers rest on\n")[1].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


def test_every_answer_names_its_tests():
    assert rows()
    assert [row for row in rows() if not re.fullmatch(r"(`tests/\S+\.py::test_\w+` ?)+", row[1])] == []


def test_the_tests_that_are_named_exist():
    missing = []
    for row in rows():
        for file, name in re.findall(r"`(\S+?)::(\w+)`", row[1]):
            path = ROOT / file
            tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
            if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
                missing.append(f"{row[0]}: {file}::{name}")
    assert missing == []
