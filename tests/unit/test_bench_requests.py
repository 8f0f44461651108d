"""Prebuilt requests: what is sent is whole, and each sending has a key of its own."""

from packhouse.bench.requests import KEY_SLOT, get, new_keys, post


def test_a_get_is_one_piece_with_its_session() -> None:
    request = get("/api/v1/vault", token="secret")
    assert request.route == "GET /api/v1/vault"
    assert request.before.startswith(b"GET /api/v1/vault HTTP/1.1\r\nHost: ")
    assert b"\r\nCookie: packhouse_session=secret\r\n" in request.before
    assert request.before.endswith(b"\r\n\r\n")
    assert request.after == b""


def test_a_post_leaves_room_for_its_key_and_tells_its_length() -> None:
    request = post("/x", {"quantity": 1})
    assert request.before.endswith(b"\r\nIdempotency-Key: ")
    assert request.after.endswith(b'\r\nContent-Length: 14\r\n\r\n{"quantity":1}')


def test_a_key_has_the_length_of_its_slot_and_differs_between_programs() -> None:
    assert len(new_keys() + b"%016x" % 1) == len(KEY_SLOT)
    assert new_keys() != new_keys()


def test_a_whole_cookie_stands_where_a_peer_has_its_own() -> None:
    assert b"\r\nCookie: sid=s%3Aa.b\r\n" in get("/a", cookie="sid=s%3Aa.b").before
    assert get("/a", token="t").before == get("/a", cookie="packhouse_session=t").before
    assert b"\r\nCookie: sid=x\r\n" in post("/a", {}, cookie="sid=x").before
    assert b"Cookie" not in get("/a").before
