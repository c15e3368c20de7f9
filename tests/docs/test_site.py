"""The documentation builds without a warning, and its pages ask nothing of another host."""

import json
import os
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PUBLIC = ROOT / "tests" / "public_api.json"
LOADED = {"script": "src", "img": "src", "iframe": "src", "source": "src", "link": "href"}


class Fetched(HTMLParser):
    """What a browser fetches by itself when it opens a page."""

    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attrs):
        address = dict(attrs).get(LOADED.get(tag, ""))
        if address:
            self.found.append(address)


@pytest.mark.slow
def test_the_site_is_built_without_warnings_and_is_whole_on_disk(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-q",
            "-nW",
            "-D",
            "nb_execution_mode=off",
            "-c",
            "docs",
            "-d",
            tmp_path / "read",
            ".",
            tmp_path / "html",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | {"PYTHONWARNINGS": ""},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    pages = [page for page in (tmp_path / "html").rglob("*.html") if "_static" not in page.parts]
    fetched = {page: Fetched() for page in pages}
    for page, reader in fetched.items():
        reader.feed(page.read_text("utf-8"))
    addresses = [
        (page, address)
        for page, reader in fetched.items()
        for address in reader.found
        if not address.startswith(("data:", "#"))
    ]
    assert len(addresses) > 10 * len(pages) > 400
    assert [(page.name, it) for page, it in addresses if not (page.parent / it.split("?")[0]).exists()] == []
    public = json.loads(PUBLIC.read_text("utf-8"))
    inner = {name for room, names in public.items() if room != "ali_core" for name in names}
    public["ali_core"] = [name for name in public["ali_core"] if name not in inner]
    api = {room: (tmp_path / "html" / "docs" / "api" / f"{room}.html").read_text("utf-8") for room in public}
    named = [(room, name) for room, names in public.items() for name in names]
    assert [(room, name) for room, name in named if f'id="{room}.{name}"' not in api[room]] == []
