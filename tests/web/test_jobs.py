"""Operators see the queue and its dead letters, by API and page, and act on them."""

from uuid import UUID

import httpx

from packhouse.foundation.jobs import SendLetter
from packhouse.house import House
from worlds.queued_jobs import kill_job, list_queue

ADMIN = "/api/v1/admin"
LETTER = SendLetter(letter="welcome", id=UUID(int=1), user_id=UUID(int=2), subject_id=UUID(int=2))


async def test_the_api_counts_the_queue(house: House, olga: httpx.AsyncClient) -> None:
    await kill_job(house, LETTER)
    queue = (await olga.get(f"{ADMIN}/job-queue")).json()
    assert queue["jobs"] == [
        {"job": "send_letter", "waiting": 0, "running": 0, "dead": 1, "due_since": None}
    ]


async def test_the_api_lists_dead_letters_in_pages(house: House, olga: httpx.AsyncClient) -> None:
    numbers = [await kill_job(house, LETTER) for _ in range(3)]
    first = (await olga.get(f"{ADMIN}/jobs", params={"limit": 2})).json()
    rest = (await olga.get(f"{ADMIN}/jobs", params={"cursor": first["next_cursor"]})).json()
    listed = [each["id"] for each in [*first["items"], *rest["items"]]]
    assert listed == sorted(numbers, reverse=True)
    assert rest["next_cursor"] is None
    assert first["items"][0]["reason"] == "refused: It cannot be done."


async def test_the_api_tries_again_and_discards(house: House, olga: httpx.AsyncClient) -> None:
    first, second = await kill_job(house, LETTER), await kill_job(house, LETTER)
    retried = await olga.post(f"{ADMIN}/jobs/{first}/retries")
    assert (retried.status_code, retried.json()["id"]) == (201, first)
    again = await olga.post(f"{ADMIN}/jobs/{first}/retries")
    assert again.status_code == 404
    discarded = await olga.post(f"{ADMIN}/jobs/{second}/discard", json={"reason": "Wrong."})
    assert discarded.status_code == 201
    assert [(each.id, each.status) for each in await list_queue(house)] == [(first, "queued")]


async def test_the_page_shows_why_and_tries_again(house: House, olga: httpx.AsyncClient) -> None:
    number = await kill_job(house, LETTER, reason="The <mail> server refuses it.")
    page = (await olga.get("/admin/jobs")).text
    assert "refused: The &lt;mail&gt; server refuses it." in page
    assert 'Jobs <span class="rail-count">1</span>' in page.replace("\n", "")
    done = await olga.post(f"/admin/jobs/{number}/retries")
    assert done.headers["location"] == "/admin/jobs?done=retried"
    assert "It is in the queue again" in (await olga.get("/admin/jobs?done=retried")).text
    gone = await olga.post(f"/admin/jobs/{number}/retries")
    assert gone.status_code == 404


async def test_the_page_discards_with_a_reason_alone(house: House, olga: httpx.AsyncClient) -> None:
    number = await kill_job(house, LETTER)
    refused = await olga.post(f"/admin/jobs/{number}/discard", data={"reason": ""})
    assert refused.status_code == 422
    assert "This is needed." in refused.text
    done = await olga.post(f"/admin/jobs/{number}/discard", data={"reason": "Nobody lives there"})
    assert done.headers["location"] == "/admin/jobs?done=discarded"
    assert "Nobody lives there" in (await olga.get("/admin/audit-log")).text
    assert await list_queue(house) == []


async def test_the_page_goes_on_to_older_ones(house: House, olga: httpx.AsyncClient) -> None:
    numbers = [await kill_job(house, LETTER) for _ in range(21)]
    page = (await olga.get("/admin/jobs")).text
    assert f"no. {numbers[-1]}<" in page
    assert f"no. {numbers[0]}<" not in page
    older = page.partition('rel="next" href="')[2].partition('"')[0].replace("&amp;", "&")
    assert f"no. {numbers[0]}<" in (await olga.get(older)).text


async def test_without_a_mail_server_the_page_says_so(olga: httpx.AsyncClient) -> None:
    assert "collectors get no letters" in (await olga.get("/admin/jobs")).text
