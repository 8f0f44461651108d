"""What may be read from a replica: questions alone, and never one that decides a write."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import packhouse
from packhouse.plumbing.queries import load_queries

ROOT: Final = Path(packhouse.__file__).parent

WRITES: Final = re.compile(
    r"\b(INSERT|UPDATE|DELETE|MERGE|TRUNCATE|LOCK|FOR\s+(NO\s+KEY\s+)?(UPDATE|SHARE)"
    r"|nextval|setval|set_config|pg_(try_)?advisory\w*|pg_notify)\b",
    re.IGNORECASE,
)
"""Words of statements that a replica refuses, or that would do there what nobody sees."""

UNSAFE_METHODS: Final = {"post", "put", "patch", "delete"}

Function = ast.FunctionDef | ast.AsyncFunctionDef


def test_what_a_replica_may_be_asked_only_reads() -> None:
    checked = 0
    for path, function in functions():
        if not takes_read_connection(function):
            continue
        room = path.relative_to(ROOT).parts[0]
        for name in queries_of(function):
            statement = load_queries(f"packhouse.{room}")[name]
            found = WRITES.search(statement)
            assert statement.startswith(("SELECT", "WITH")), f"{path.name}: {name} is no SELECT"
            assert found is None, f"{path.name}: {name} has {found and found[0]}"
            checked += 1
    assert checked >= 50


def test_a_flow_that_writes_never_reads_from_a_replica() -> None:
    for path in sorted((ROOT / "flows").glob("*.py")):
        calls = {name for _, name in calls_in(ast.parse(path.read_text()))}
        assert not (calls >= {"reading"} and calls & {"transaction", "transaction_on"}), (
            f"{path.name} has a transaction: ask the primary, by connection()"
        )


def test_a_request_that_changes_something_asks_the_primary() -> None:
    for path, function in functions():
        if methods_of(function) & UNSAFE_METHODS:
            lines = [line for line, name in calls_in(function) if name == "reading"]
            assert lines == [], (
                f"{path.relative_to(ROOT)}:{lines}: ask the primary, by connection()"
            )


def test_nothing_below_the_flows_chooses_a_replica_by_itself() -> None:
    users = {
        path.relative_to(ROOT).parts[0]
        for path in sorted(ROOT.rglob("*.py"))
        if any(name == "reading" for _, name in calls_in(ast.parse(path.read_text())))
    }
    assert users == {"flows", "web"}


def test_who_is_signed_in_is_never_asked_of_a_replica() -> None:
    for path in ("accounts/sessions.py", "web/edge.py", "web/maintenance.py", "flows/sign_in.py"):
        tree = ast.parse((ROOT / path).read_text())
        assert [line for line, name in calls_in(tree) if name == "reading"] == [], path


def functions() -> Iterator[tuple[Path, Function]]:
    for path in sorted(ROOT.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, Function):
                yield path, node


def takes_read_connection(function: Function) -> bool:
    return any(
        isinstance(each.annotation, ast.Name) and each.annotation.id == "ReadConnection"
        for each in (*function.args.args, *function.args.kwonlyargs)
    )


def queries_of(function: Function) -> list[str]:
    return [
        str(word.value)
        for node in ast.walk(function)
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Name)
        and node.value.id == "QUERIES"
        for word in ast.walk(node.slice)
        if isinstance(word, ast.Constant)
    ]


def methods_of(function: Function) -> set[str]:
    """The names of its decorators, which in handlers are the methods they answer."""
    calls = [each.func if isinstance(each, ast.Call) else each for each in function.decorator_list]
    return {each.id for each in calls if isinstance(each, ast.Name)}


def calls_in(tree: ast.AST) -> list[tuple[int, str]]:
    """Line and name of everything that is called there."""
    return [
        (node.lineno, node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute | ast.Name)
    ]
