"""A real browser for pages on disk: it records whatever they ask for and complain about."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

BROWSERS = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)


@dataclass
class OpenedPage:
    """
    A page in the browser.

    ``requests`` are what it asked for beyond its own file, ``refused`` those among them that its policy stopped,
    ``complaints`` what its console, scripts and dialogs said.
    """

    page: Page
    address: str
    requests: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def listen(self) -> None:
        """Record from now on."""
        self.page.on("request", lambda request: self._requested(request.url))
        self.page.on("requestfailed", lambda request: self._failed(request.url, request.failure))
        self.page.on("console", lambda message: self._complained(message.type, message.text))
        self.page.on("pageerror", lambda error: self._complained("error", str(error)))
        self.page.on("dialog", self._interrupted)

    def _requested(self, address: str) -> None:
        if address != self.address and not address.startswith("data:"):
            self.requests.append(address)

    def _failed(self, address: str, reason: str | None) -> None:
        if reason == "csp":
            self.refused.append(address)

    def _complained(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(text)

    def _interrupted(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """
    Yield Chromium, as the system has it or ``$CHROMIUM`` names it.

    Of a module, not of the session: while Playwright's synchronous interface is open, its event loop counts as running in
    this thread, and nothing else here could start one.
    """
    found = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, BROWSERS)), None)
    if found is None:
        reason = "no browser: install Debian's chromium, or name one in $CHROMIUM"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., OpenedPage]]:
    """Yield a function that opens a file in a fresh, empty browser context of a given width."""
    contexts = []

    def opened(path: Path, *, width: int = 1280) -> OpenedPage:
        context = browser.new_context(viewport={"width": width, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(10_000)
        result = OpenedPage(page, path.resolve().as_uri())
        result.listen()
        page.goto(result.address, wait_until="load")
        return result

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="session")
def accessibility_faults() -> Callable[[Page], list[str]]:
    """Return a function that lists what axe-core finds on a page, everything that folds being unfolded."""

    def faults(page: Page) -> list[str]:
        page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true; })")
        violations = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        return [f"{found['id']}: {node['html']}" for found in violations for node in found["nodes"]]

    return faults
