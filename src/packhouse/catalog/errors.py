"""What the catalogue says no to."""

from collections.abc import Sequence
from typing import ClassVar

from packhouse.catalog.model import ImportProblem
from packhouse.foundation.errors import FieldError, InvalidInput, Refusal


class ImportRefused(InvalidInput):
    """The file has problems and nothing of it was imported; ``problem_count`` counts them all."""

    code: ClassVar[str] = "import_refused"

    def __init__(
        self, problems: Sequence[ImportProblem], *, file_name: str, problem_count: int
    ) -> None:
        count = "1 problem" if problem_count == 1 else f"{problem_count:,} problems"
        super().__init__(
            f"{file_name} has {count}; nothing was imported. Correct the lines and try again.",
            [FieldError(field=_where(each), message=_what(each)) for each in problems],
        )
        self.problems = tuple(problems)
        self.problem_count = problem_count


class ImportRunning(Refusal):
    """Another import is running; two at once could add the same copies twice."""

    code: ClassVar[str] = "import_running"


class StockNotMovable(Refusal):
    """A stock item is not where it would have to be for this move."""

    code: ClassVar[str] = "stock_not_movable"


def _where(problem: ImportProblem) -> str:
    return f"line {problem.line}" + (f", {problem.column}" if problem.column else "")


def _what(problem: ImportProblem) -> str:
    return f"{problem.value!r}: {problem.message}" if problem.value else problem.message
