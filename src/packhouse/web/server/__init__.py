"""The HTTP server of the web workers: HTTP/1.1 on one event loop, ASGI for whatever takes a wait.

``connections`` reads requests and keeps their order, ``exchanges`` is one request with its answer
as the application sees it, ``wire`` is how an answer looks in bytes, ``serving`` is all connections
of one process, and ``workers`` is the processes. What can be answered from memory is answered while
the request is being read (decision 0016).
"""
