"""Whole text comes compressed to who asks so; everything else comes as it is."""

from pathlib import Path

import httpx
import msgspec
import pytest
from typer.testing import CliRunner

from packhouse.cli import packhouse_commands
from packhouse.house import House
from packhouse.plumbing.audit import Actor
from packhouse.plumbing.storage import MediaFolder
from packhouse.web.app import WebApp
from packhouse.web.assets import StaticFiles, build_forms, coded_forms, export_assets, hashed_name

CODINGS = ["br", "zstd", "gzip"]


@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("path", ["/", "/feed", "/vault", "/wallet", "/api/v1/packs", "/fairness"])
async def test_a_page_is_the_same_in_every_coding(
    ada: httpx.AsyncClient, shop: Actor, path: str, coding: str
) -> None:
    plain = await ada.get(path, headers={"Accept-Encoding": "identity"})
    coded = await ada.get(path, headers={"Accept-Encoding": coding})
    assert shop.username
    assert "content-encoding" not in plain.headers
    assert coded.headers["content-encoding"] == coding
    assert "accept-encoding" in coded.headers["vary"].lower()
    assert int(coded.headers["content-length"]) < len(plain.content)
    # Pages of forms have a fresh key in each.
    assert len(coded.text) == len(plain.text)


async def test_a_small_answer_is_not_worth_it(ada: httpx.AsyncClient) -> None:
    answer = await ada.get("/api/v1/me", headers={"Accept-Encoding": "br"})
    assert "content-encoding" not in answer.headers


async def test_a_head_has_the_headers_of_what_a_get_would_send(
    ada: httpx.AsyncClient, shop: Actor
) -> None:
    got = await ada.get("/fairness", headers={"Accept-Encoding": "gzip"})
    head = await ada.head("/fairness", headers={"Accept-Encoding": "gzip"})
    assert shop.username
    assert head.content == b""
    assert head.headers["content-encoding"] == got.headers["content-encoding"] == "gzip"


async def test_an_answer_with_a_tag_keeps_the_bytes_that_it_names(
    client: httpx.AsyncClient,
) -> None:
    answer = await client.get("/api/v1/openapi.json", headers={"Accept-Encoding": "br"})
    assert answer.status_code == 200
    assert ("etag" in answer.headers) != ("content-encoding" in answer.headers)


@pytest.mark.parametrize("coding", CODINGS)
async def test_assets_come_in_every_coding_and_may_be_kept_for_ever(
    client: httpx.AsyncClient, coding: str
) -> None:
    url = StaticFiles().url_of("css/base.css")
    answer = await client.get(url, headers={"Accept-Encoding": coding})
    assert answer.headers["content-encoding"] == coding
    assert "immutable" in answer.headers["cache-control"]


def test_what_was_built_is_as_small_as_it_goes(tmp_path: Path) -> None:
    assert build_forms(tmp_path) > 50
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    body = (Path(__file__).parents[2] / "src/packhouse/web/static/css/base.css").read_bytes()
    name = hashed_name("css/base.css", body).split(".")[1]
    assert sizes[f"{name}.br"] < sizes[f"{name}.gzip"] < len(body)
    assert set(coded_forms(body)) == {"br", "zstd", "gzip"}


def test_assets_can_be_given_to_a_cdn(tmp_path: Path) -> None:
    assert export_assets(tmp_path) == len(StaticFiles().urls)
    for url in StaticFiles().urls.values():
        assert (tmp_path / url.removeprefix("/static/")).is_file()
    style = tmp_path / StaticFiles().url_of("css/base.css").removeprefix("/static/")
    assert {
        style.with_name(f"{style.name}.{suffix}").exists() for suffix in ("br", "zst", "gz")
    } == {True}


def test_the_command_says_what_it_made(tmp_path: Path) -> None:
    ran = CliRunner().invoke(packhouse_commands, ["assets", "build", str(tmp_path / "cdn")])
    assert ran.exit_code == 0
    assert "assets are in" in ran.stdout


async def test_a_cdn_brings_styles_and_pictures_and_the_policy_lets_it(
    house: House, shop: Actor
) -> None:
    cdn = "https://cdn.shop.example"
    settings = msgspec.structs.replace(house.settings, assets_url=cdn)
    media = MediaFolder(settings.media_directory, origin=cdn)
    app = WebApp(settings, msgspec.structs.replace(house, settings=settings, media=media))
    async with app.running():
        transport = httpx.ASGITransport(app=app, client=("127.0.0.1", 4321))
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as visitor:
            page = await visitor.get("/packs/veil-one")
    policy = page.headers["content-security-policy"]
    assert shop.username
    assert f"img-src 'self' data: {cdn};" in policy
    assert f"style-src 'self' {cdn};" in policy
    assert "script-src" not in policy
    assert f'href="{cdn}/static/css/base.' in page.text
    assert 'src="/static/elements/' in page.text
    assert 'href="/static/icons.' in page.text
