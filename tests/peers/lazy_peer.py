"""A peer that lets the shop do its work, and then does less: its first argument says what.

It stands before the shop at the address of its second argument and changes one thing.
"""

import asyncio
import http.client
import http.server
import json
import os
import sys
import threading

import asyncpg

FAULT, SHOP_PORT = sys.argv[1], int(sys.argv[2])
EMPTY = b'{"items":[],"next_cursor":null}'


class Lazy(http.server.BaseHTTPRequestHandler):
    """Passes everything on but for the fault."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        is_feed = self.path == "/api/v1/feed"
        is_strangers = "Cookie" not in self.headers and not is_feed
        hidden = {"an empty feed": is_feed, "a vault for strangers": is_strangers}
        if hidden.get(FAULT):
            self.answer(200, EMPTY)
        else:
            self.answer(*self.ask_shop(None))

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if FAULT == "a second effect":
            self.headers.replace_header("Idempotency-Key", os.urandom(8).hex())
        status, answer = self.ask_shop(body)
        opened = json.loads(answer)
        if FAULT == "a card too few":
            opened["openings"][0]["cards"].pop()
        elif FAULT == "no idempotency record":
            asyncio.run(spoil("DELETE FROM idempotency_keys"))
        elif FAULT == "another draw":
            asyncio.run(spoil(REDRAW, opened))
        self.answer(status, json.dumps(opened).encode())

    def ask_shop(self, body: bytes | None) -> tuple[int, bytes]:
        shop = http.client.HTTPConnection("127.0.0.1", SHOP_PORT, timeout=20)
        shop.request(self.command, self.path, body=body, headers=dict(self.headers))
        answer = shop.getresponse()
        read = answer.status, answer.read()
        shop.close()
        return read

    def answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nobody reads it."""


REDRAW = """
UPDATE openings
SET receipt = jsonb_set(
    receipt::jsonb,
    '{cards,0,tier_ticket,number}',
    to_jsonb(
        ((receipt::jsonb #>> '{cards,0,tier_ticket,number}')::bigint + 1)
        % (receipt::jsonb #>> '{cards,0,tier_ticket,of}')::bigint
    )
)::text
WHERE id = $1::text::uuid"""


async def spoil(statement: str, opened: dict[str, list[dict[str, str]]] | None = None) -> None:
    connection = await asyncpg.connect(os.environ["DATABASE_URL"])
    try:
        await connection.execute(statement, *([opened["openings"][0]["id"]] if opened else []))
    finally:
        await connection.close()


def end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    with http.server.ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Lazy) as server:
        server.serve_forever()
