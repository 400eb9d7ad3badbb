"""The page for addresses that lead nowhere: it works wherever the site is published and at any depth."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from analysis.publish.render import Engine, render
from tests.conftest import BuiltSite

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


class Host(SimpleHTTPRequestHandler):
    """Serve a site below a path, and its page 404.html, with that status, for whatever is not there."""

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        if code != 404:
            super().send_error(code, message, explain)
            return
        content = Path(str(self.directory), "repo", "404.html").read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing of single requests."""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Callable[[Path], str]]:
    """Serve a folder as GitHub Pages serves a project's site: below the repository's name."""
    servers = []

    def start(site: Path) -> str:
        (tmp_path / "repo").symlink_to(site)
        server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Host, directory=str(tmp_path)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}/repo"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("engine", ["smalldocs", pytest.param("quarto", marks=pytest.mark.quarto)])
@pytest.mark.parametrize("site_url", ["", "https://example.org/repo"], ids=["address unknown", "address known"])
def test_it_is_styled_and_its_links_work_at_any_depth(
    engine: Engine,
    site_url: str,
    built_site: BuiltSite,
    host: Callable[[Path], str],
    chromium: Browser,
    tmp_path: Path,
) -> None:
    if engine == "quarto" and shutil.which("quarto") is None:
        pytest.skip("quarto is not on the PATH")
    address = host(render(built_site.root, tmp_path / "site", engine, site_url=site_url).site)
    page = chromium.new_page(java_script_enabled=not site_url)
    for place in ("/no-such-page.html", "/a/b/c"):
        page.goto(address + place, wait_until="networkidle")
        assert page.title().startswith("This page is not here")
        measure = page.locator("main p").first.evaluate("element => getComputedStyle(element).maxWidth")
        assert measure != "none", "the style sheet did not load"
        with page.expect_navigation() as loaded:
            page.locator("main").get_by_role("link", name="Overview").click()
        # A script of Quarto leaves the name of the file out of links.
        assert loaded.value.ok and page.url.removesuffix("index.html") == f"{address}/site/"
    page.close()
