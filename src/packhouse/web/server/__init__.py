"""The HTTP server of the web workers: HTTP/1.1 on one event loop, ASGI for whatever takes a wait.

``requests`` reads what comes in, ``connections`` keeps its order, ``exchanges`` is one request with
its answer as the application sees it, ``wire`` is how an answer looks in bytes, ``serving`` is all
connections of one process, ``worker`` is that process, and ``prefork`` its parent. What can be
answered from memory is answered while the request is being read (decision 0016).
"""
