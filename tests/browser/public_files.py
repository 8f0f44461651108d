"""A small server on loopback with files alone: all that the browser's verifier may ask for."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import msgspec

import packhouse.web
from packhouse.draws import Receipt
from packhouse.plumbing.settings import Settings
from packhouse.web.headers import content_security_policy
from packhouse.web.pages import environment

STATIC: Final = Path(packhouse.web.__file__).parent / "static"
TYPES: Final = {".js": "text/javascript", ".json": "application/json", ".css": "text/css"}
CHECKS: Final = ("opening", "user", "lot", "pack", "log")


class PublicFiles:
    """Files by their path, and what was asked for."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.asked: list[str] = []

    def put(self, path: str, content: bytes, media_type: str) -> None:
        self.files[path] = (media_type, content)

    def find(self, path: str) -> tuple[str, bytes] | None:
        if path in self.files:
            return self.files[path]
        if path.startswith("/static/"):
            plain = re.sub(r"\.[0-9a-f]{12}(?=\.[a-z]+$)", "", path.removeprefix("/static/"))
            file = STATIC / plain
            if file.is_file():
                return TYPES.get(file.suffix, "image/svg+xml"), file.read_bytes()
        return None


@contextmanager
def serving(files: PublicFiles) -> Iterator[str]:
    """Serve on loopback; gives the address."""

    class Answerer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = self.path.partition("?")[0]
            files.asked.append(path)
            found = files.find(path)
            if found is None:
                self.send_error(HTTPStatus.NOT_FOUND)
                return
            media_type, content = found
            self.send_response(HTTPStatus.OK)
            self.send_header("Content-Type", f"{media_type}; charset=utf-8")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Content-Security-Policy", content_security_policy(Settings()))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answerer)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def put_pages(files: PublicFiles) -> None:
    """Put the page of each check, as a visitor who is not signed in sees it."""
    for check in CHECKS:
        frame: dict[str, Any] = {
            "shop_name": "Veil",
            "viewer": None,
            "path": "/verify",
            "flash": (),
            "problems": {},
            "check": check,
        }
        page = environment().get_template("shop/verify.html").render(frame)
        files.put(f"/verify/{check}", page.encode(), "text/html")


def put_receipt(files: PublicFiles, receipt: Receipt) -> None:
    """Publish a receipt."""
    content = msgspec.json.encode(receipt)
    files.put(f"/api/v1/openings/{receipt.id}", content, "application/json")
