"""The FastAPI peer: uvicorn with uvloop and httptools, as many workers as the shop has."""

import os
import signal
import threading

import uvicorn
from settings import PORT, WORKERS


def end_with_parent() -> None:
    """Whoever started us holds the other end of standard input: when they are gone, so are we."""
    # Not through the buffer of sys.stdin, whose lock Python wants for itself at its end.
    while os.read(0, 4096):
        pass
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
