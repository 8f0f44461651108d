"""Somebody in front of a browser, who keeps a picture of every stop and notices every trouble."""

import re
from pathlib import Path
from typing import Any, Final, Protocol

from playwright.sync_api import BrowserContext, ConsoleMessage, Locator, Page, WebError, expect

SCREENSHOTS = Path(__file__).parents[2] / "screenshots"
"""Of every stop, to be looked at; not kept in the repository."""

PATIENCE_MS = 5_000
"""How long anything may take to appear. Generous, so that a busy machine fails nobody."""

LOAD_PICTURES: Final = """
    async () => {
        const load = async (image) => {
            image.loading = "eager";
            await image.decode();
        };
        const images = [...document.images].filter((image) => image.getAttribute("src"));
        const loads = await Promise.allSettled(images.map(load));
        return images.filter((_, at) => loads[at].status === "rejected").map((image) => image.src);
    }
"""
"""Answers with the addresses of those that are no pictures."""

Screen = dict[str, Any]
"""What a window is like, as Playwright's ``new_context`` takes it."""

PHONE: Final[Screen] = {
    "viewport": {"width": 390, "height": 844},
    "is_mobile": True,
    "has_touch": True,
}
DESK: Final[Screen] = {"viewport": {"width": 1280, "height": 900}}

PASSWORD: Final = "three quiet lanterns"

expect.set_options(timeout=PATIENCE_MS)


class Visitor:
    """One person with one browser window and cookies of their own."""

    def __init__(self, name: str, context: BrowserContext) -> None:
        self.name = name
        self.troubles: list[str] = []
        self._context = context
        self._refusals: set[int] = set()
        context.set_default_timeout(PATIENCE_MS)
        context.set_default_navigation_timeout(3 * PATIENCE_MS)
        context.on("console", self._hear)
        context.on("weberror", self._trip)
        self.page: Page = context.new_page()

    def expect_refusals(self, *statuses: int) -> None:
        """These answers are part of the story; the browser notes each as an error."""
        self._refusals.update(statuses)

    def go(self, path: str) -> None:
        answer = self.page.goto(path)
        if answer is None or answer.status >= 400:
            self.troubles.append(f"{path} answered {answer and answer.status}")

    def press(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Press the button with this name."""
        (within or self.page).get_by_role("button", name=name).click()

    def follow(self, name: str | re.Pattern[str], within: Locator | None = None) -> None:
        """Follow the first link with this name."""
        (within or self.page.locator("main")).get_by_role("link", name=name).first.click()

    def sees(self, text: str | re.Pattern[str]) -> None:
        expect(self.page.locator("main").get_by_text(text).first).to_be_visible()

    def stop(self, picture: str, *, whole: bool = True) -> None:
        """Look at the page: everything fits in the window. Keeps a picture, named by order."""
        self.load_pictures()
        self.fits()
        self.page.screenshot(
            path=SCREENSHOTS / f"{picture}.png", full_page=whole, animations="disabled"
        )

    def load_pictures(self) -> None:
        """Wait until every picture of the page is there, those further down included."""
        broken = self.page.evaluate(LOAD_PICTURES)
        self.troubles += [f"{address} is no picture" for address in broken]

    def fits(self) -> None:
        """Nothing sticks out at the side."""
        # Where something does, a phone widens `innerWidth` itself, so that is no measure.
        size = self.page.viewport_size
        width = self.page.evaluate("document.scrollingElement.scrollWidth")
        if size is not None and width > size["width"]:
            self.troubles.append(f"{self.page.url} is {width} px wide on {size['width']} px")

    def balance(self) -> int:
        """What the header says, in minor units."""
        text = self.page.locator("header .balance").inner_text()
        return minor(text)

    def sign_up(self, username: str) -> None:
        """Through the form, and straight on to the shelf."""
        self.go("/sign-up")
        self.page.get_by_label("E-mail").fill(f"{username}@example.com")
        self.page.get_by_label("User name").fill(username)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_label("Date of birth").fill("1990-04-30")
        self.press("Sign up", self.page.locator("main"))
        self.sees("Your account is ready")

    def sign_in(self, email: str, password: str) -> None:
        self.go("/sign-in")
        self.page.get_by_label("E-mail").fill(email)
        self.page.get_by_label("Password").fill(password)
        self.press("Sign in", self.page.locator("main"))

    def top_up(self, amount: str) -> None:
        self.go("/wallet")
        self.page.get_by_label("Add credits").fill(amount)
        self.press("Add credits")
        self.sees("The credits are in your wallet.")

    def leave(self) -> None:
        self._context.close()

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type != "error":
            return
        refused = re.search(r"responded with a status of (\d+)", message.text)
        if refused and int(refused[1]) in self._refusals:
            return
        self.troubles.append(f"{message.text} ({message.location.get('url')})")

    def _trip(self, error: WebError) -> None:
        self.troubles.append(str(error.error))


class Visit(Protocol):
    """Makes a visitor; ``options`` are further ones of Playwright's ``new_context``."""

    def __call__(self, name: str, screen: Screen, **options: bool | str) -> Visitor:
        """Enter the shop with a new browser window."""


def minor(text: str) -> int:
    """The amount in a text such as “Balance 1,234.50”, in minor units."""
    found = re.search(r"([\d,]+)\.(\d\d)", text)
    assert found is not None, f"no amount in {text!r}"
    return int(found[1].replace(",", "")) * 100 + int(found[2])
