"""The front of a program that answers collectors and operators: two edges, told apart by path.

Operators are answered with a login of their own, so that nothing which collectors can reach may do
what operators do. What is asked for most is asked of the collectors' edge directly.
"""

from packhouse.foundation.errors import Refusal
from packhouse.web.answers import ReadyAnswer
from packhouse.web.asgi import Receive, Scope, Send
from packhouse.web.edge import Asked, Edge
from packhouse.web.headers import HeaderReader
from packhouse.web.roles import is_for_operators


class Front:
    """Looks like an edge, and is two."""

    def __init__(self, collectors: Edge, operators: Edge) -> None:
        self._collectors = collectors
        self._operators = operators
        self.answer_at_once = collectors.answer_at_once

    def read_asked(
        self, *, path: str, query: str, peer: str, headers: HeaderReader
    ) -> Asked | None:
        """What a GET of collectors asks for, if that may be in memory."""
        return self._collectors.read_asked(path=path, query=query, peer=peer, headers=headers)

    def refuse(self, refusal: Refusal) -> ReadyAnswer:
        """The answer to what is no request."""
        return self._collectors.refuse(refusal)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request by the edge it is for."""
        is_http = scope["type"] == "http"
        edge = self._operators if is_http and is_for_operators(scope["path"]) else self._collectors
        await edge(scope, receive, send)

    async def finish(self) -> None:
        """Finish what goes on behind the answers of both."""
        await self._collectors.finish()
        await self._operators.finish()
