"""What the table beside other tools says of the Studio rests on tests that exist."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
DOCUMENT = ROOT / "docs" / "studio-compared.md"


def rows(number):
    """Return the rows of the table of that number, as lists of cells; the head is the first of them."""
    tables = re.findall(r"(?:^\|.*\|\n)+", DOCUMENT.read_text("utf-8"), flags=re.MULTILINE)
    lines = tables[number].strip().splitlines()
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [cells[0], *cells[2:]]


def test_every_row_is_whole_and_says_yes_or_no_of_us():
    head, *compared = rows(0)
    assert head[:2] == ["what", "Studio"]
    assert {len(row) for row in compared} == {len(head)}
    assert {row[1] for row in compared} == {"yes", "no"}
    assert all(all(row) for row in compared)


def test_every_yes_and_nothing_else_names_its_tests():
    claimed = [row[0] for row in rows(0)[1:] if row[1] == "yes"]
    assert [row[0] for row in rows(1)[1:]] == claimed
    assert all(re.fullmatch(r"(`tests/\S+\.py::test_\w+` ?)+", row[1]) for row in rows(1)[1:])


def test_the_tests_that_are_named_exist():
    missing = []
    for row in rows(1)[1:]:
        for file, name in re.findall(r"`(\S+?)::(\w+)`", row[1]):
            path = ROOT / file
            tree = ast.parse(path.read_text("utf-8")) if path.exists() else ast.Module([], [])
            if not any(isinstance(node, ast.FunctionDef) and node.name == name for node in tree.body):
                missing.append(f"{row[0]}: {file}::{name}")
    assert missing == []
