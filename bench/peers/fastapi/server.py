"""The FastAPI peer: uvicorn with uvloop and httptools, as many workers as the shop has."""

import os
import signal
import sys
import threading

import uvicorn
from settings import PORT, WORKERS


def end_with_parent() -> None:
    """Whoever started us holds the other end of standard input: when they are gone, so are we."""
    sys.stdin.buffer.read()
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    uvicorn.run(
        "app:app",
        host="127.0.0.1",
        port=PORT,
        workers=WORKERS,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_level="warning",
        timeout_keep_alive=75,
    )
