"""The page of who may do what is what is granted, with a word for every table and role."""

from worlds.role_rights import PAGE, read_grants, render_page


def test_the_page_of_rights_is_current() -> None:
    assert PAGE.read_text(encoding="utf-8") == render_page(), (
        "run: PYTHONPATH=src:tests .venv/bin/python -m worlds.role_rights"
    )


def test_pages_and_calls_may_do_the_same() -> None:
    of_web, of_api = (
        {
            (granted.table, granted.verb, granted.column)
            for granted in read_grants()
            if granted.role == role
        }
        for role in ("web", "api")
    )
    assert of_web
    assert of_web == of_api
