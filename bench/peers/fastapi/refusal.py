"""What a client is told when the answer is no."""


class Refusal(Exception):
    """Status, code for machines, sentence for people."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
