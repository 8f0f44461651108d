"""The live feed: every pull, as soon as it is committed, to everyone who listens.

One hub in each process (``hub``) watches the feed and turns what is new into bytes, once for all
who listen alike (``frames``). Two transports carry them: the live role's own server (``role``,
``connections``, ``streams``), made for tens of thousands of streams in one process, and the ASGI
streams of a web worker (``packhouse.web.streams``), so that ``packhouse up`` is one address.

It has several doors, because the live role starts without the framework that web workers load.
"""
