"""Text tables are read as they were meant, whatever program saved them."""

import gzip
from pathlib import Path

import pandas as pd
import pytest

from ali_core.data.tables import read_table, sniffed
from ali_core.errors import AliError

FRAME = pd.DataFrame({"path": ["a.png", "b, c.png"], "label": ["Blast", "Monozyt (groß)"], "area": ["0.5", "1.25"]})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "cp1252", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_any_separator_and_encoding_gives_the_same_table(tmp_path: Path, separator: str, encoding: str):
    path = tmp_path / "labels.csv"
    FRAME.to_csv(path, index=False, sep=separator, encoding=encoding)
    pd.testing.assert_frame_equal(read_table(path), FRAME)


def test_zipped_tables_and_the_first_line_of_excel_are_read(tmp_path: Path):
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(FRAME.to_csv(index=False).encode()))
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv.gz"), FRAME)
    (tmp_path / "t.csv").write_text("sep=;\n" + FRAME.to_csv(index=False, sep=";"), encoding="utf-8")
    pd.testing.assert_frame_equal(read_table(tmp_path / "t.csv"), FRAME)


def test_decimal_commas_are_told_from_commas_in_text(tmp_path: Path):
    (tmp_path / "a.csv").write_text("f0;label\n-0,5;x\n1,25e3;y\n")
    assert sniffed(tmp_path / "a.csv").decimal == ","
    assert sniffed(tmp_path / "a.csv").words == "separated by semicolons, decimal commas"
    (tmp_path / "b.csv").write_text("f0;label\n0.5;1,2\n")
    assert sniffed(tmp_path / "b.csv").decimal == "."


def test_other_letters_far_below_the_first_lines_are_read(tmp_path: Path):
    path = tmp_path / "t.csv"
    path.write_bytes(b"path,label\n" + b"a.png,x\n" * 20_000 + "b.png,Lösung\n".encode("cp1252"))
    assert read_table(path)["label"].iloc[-1] == "Lösung"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x81\x8d,label\n1,x\n", "neither UTF-8 nor Windows-1252"),
        (b"path,label\n\x00\x01,x\n", "it is not text"),
        (b"path,path\na,b\n", "several columns are called 'path'"),
        (b"path,label\n", "no row below its header"),
        (b"path,label\na,b,c\n", "not a readable CSV table"),
    ],
)
def test_what_is_no_table_is_refused_in_one_line(tmp_path: Path, content: bytes, message: str):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(AliError, match=message) as caught:
        read_table(tmp_path / "t.csv")
    assert "\n" not in str(caught.value)
