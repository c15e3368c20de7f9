"""The browser refuses whatever a page of ours would ask of another host: pages that we write, and those we serve."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from ali_core import LabelledEmbedding, Session
from ali_viz.page import write_page
from ali_viz.panels import state_table
from ali_viz.server import ONLY_THIS_HOST

pytestmark = pytest.mark.browser

ASK = """async host => {
    const load = (tag, name) => new Promise(done => {
        const element = document.createElement(tag);
        element.onload = element.onerror = done;
        element.src = host + name;
        document.body.append(element);
    });
    await Promise.all([load("img", "image"), load("script", "script"), fetch(host + "data").catch(() => null)]);
}"""


@contextmanager
def served(body, policy):
    """Serve one page on this machine; yield its address and the paths that were asked for."""
    asked = []

    class Page(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            if policy:
                self.send_header("Content-Security-Policy", policy)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()


def test_a_page_asks_no_other_host(chromium, tmp_path):
    session = Session(LabelledEmbedding(np.eye(4), list("aabb")))
    table = state_table({"Before": session.before}, ("dims",))
    exported = write_page(table, tmp_path / "embedding.html", caption="", session=session).read_bytes()
    empty = b"<!doctype html><body></body>"
    page = chromium.new_page()
    with served(b"", "") as (stranger, asked):
        for body, policy in ((exported, ""), (empty, ONLY_THIS_HOST)):
            with served(body, policy) as (address, _):
                page.goto(address)
                page.evaluate(ASK, stranger)
            assert page.locator(".main-svg").count() == (3 if body is exported else 0)
            assert asked == []
        with served(empty, "") as (address, _):
            page.goto(address)
            page.evaluate(ASK, stranger)
        assert sorted(asked) == ["/data", "/image", "/script"]
    page.close()
