"""Settings: what is accepted, what is refused, where values come from, and what is never shown."""

import base64
import re
from collections.abc import Mapping
from ipaddress import ip_network
from pathlib import Path

import msgspec
import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from packhouse.cli.config import SETTING_GROUPS, config_command, settings_reference
from packhouse.plumbing.postgres import pool_size_per_web_worker
from packhouse.plumbing.setting_sources import variable_of
from packhouse.plumbing.setting_values import MASK, RateLimit, SeedKey, mask_url_passwords
from packhouse.plumbing.settings import (
    SERVE_NEEDS,
    WORKER_NEEDS,
    InvalidSettings,
    LoadedSettings,
    Settings,
    load_settings,
    require_setting,
)

ROOT = Path(__file__).parents[2]
KEY = bytes(range(32))
KEY_TEXT = base64.b64encode(KEY).decode()
NO_DOTENV = Path("there-is-no-such-file")


def load(**environ: str) -> LoadedSettings:
    return load_settings(environ, dotenv_path=NO_DOTENV)


def refusal(environ: Mapping[str, str], *, dotenv_path: Path = NO_DOTENV) -> str:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(environ, dotenv_path=dotenv_path)
    return str(caught.value)


@pytest.fixture
def dotenv(tmp_path: Path) -> Path:
    return tmp_path / ".env"


def test_an_empty_environment_gives_the_defaults() -> None:
    loaded = load()
    assert loaded.settings.http_port == 8000
    assert loaded.settings.rate_limit_anonymous == RateLimit(limit=100, window_seconds=900)
    assert loaded.settings.database_pool_size == 20
    assert 1 <= loaded.settings.http_workers <= 64
    assert set(loaded.origins.values()) == {"default"}


def test_every_value_knows_where_it_came_from(dotenv: Path) -> None:
    dotenv.write_text(
        "PACKHOUSE_SHOP_NAME=Dotenv\nPACKHOUSE_HTTP_PORT=1\nPACKHOUSE_LOG_LEVEL=error\n"
    )
    loaded = load_settings(
        {"PACKHOUSE_HTTP_PORT": "2", "PACKHOUSE_LOG_LEVEL": "debug", "HOME": "/home/ada"},
        dotenv_path=dotenv,
        overrides={"log_level": "warning", "embedded": True, "media_directory": Path("pictures")},
    )
    settings, origins = loaded.settings, loaded.origins
    assert (settings.shop_name, origins["shop_name"]) == ("Dotenv", ".env")
    assert (settings.http_port, origins["http_port"]) == (2, "environment")
    assert (settings.log_level, origins["log_level"]) == ("warning", "packhouse up")
    assert (settings.embedded, settings.media_directory) == (True, Path("pictures"))
    assert origins["http_host"] == "default"


@pytest.mark.parametrize("environment", ["production", "test"])
def test_dotenv_is_read_in_development_only(dotenv: Path, environment: str) -> None:
    dotenv.write_text("PACKHOUSE_SHOP_NAME=Dotenv\n")
    loaded = load_settings(
        {"PACKHOUSE_ENVIRONMENT": environment, "PACKHOUSE_SEED_KEY": KEY_TEXT}, dotenv_path=dotenv
    )
    assert loaded.settings.shop_name == "Packhouse"


def test_dotenv_cannot_turn_the_shop_into_production(dotenv: Path) -> None:
    dotenv.write_text("PACKHOUSE_ENVIRONMENT=production\n")
    assert "must be set in the environment itself" in refusal({}, dotenv_path=dotenv)


def test_dotenv_takes_a_dollar_sign_as_it_is_and_ignores_what_is_not_ours(dotenv: Path) -> None:
    dotenv.write_text("PACKHOUSE_SHOP_NAME='Cash $HOME'\nOTHER_THING=1\n")
    assert load_settings({}, dotenv_path=dotenv).settings.shop_name == "Cash $HOME"


def test_dotenv_that_is_not_text_is_refused(dotenv: Path) -> None:
    dotenv.write_bytes(b"PACKHOUSE_SHOP_NAME=\xff\xfe\n")
    assert "cannot be read" in refusal({}, dotenv_path=dotenv)


def test_an_empty_value_counts_as_not_set() -> None:
    loaded = load(PACKHOUSE_HTTP_PORT="  ", PACKHOUSE_DATABASE_URL="")
    assert loaded.settings.http_port == 8000
    assert loaded.origins["http_port"] == "default"


def test_an_unknown_variable_is_refused_with_a_guess_and_without_its_value() -> None:
    message = refusal({"PACKHOUSE_SED_KEY": KEY_TEXT})
    assert "PACKHOUSE_SED_KEY (environment): is no setting of this shop" in message
    assert "did you mean PACKHOUSE_SEED_KEY?" in message
    assert KEY_TEXT not in message


def test_variables_of_the_command_line_and_of_the_tests_are_no_settings() -> None:
    load(PACKHOUSE_DATA="./elsewhere", PACKHOUSE_TEST_CITUS_URL="postgresql://127.0.0.1/citus")


def test_the_data_folder_is_not_read_from_dotenv(dotenv: Path) -> None:
    dotenv.write_text("PACKHOUSE_DATA=elsewhere\n")
    assert "can be set in the environment only" in refusal({}, dotenv_path=dotenv)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(InvalidSettings) as caught:
        load_settings(
            {
                "PACKHOUSE_ENVIRONMENT": "production",
                "PACKHOUSE_HTTP_PORT": "eighty",
                "PACKHOUSE_LOG_LEVEL": "loud",
                "PACKHOUSE_SHOP_COLOUR": "red",
                "PACKHOUSE_PUBLIC_URL": "http://shop.example",
                "PACKHOUSE_PAYMENT_PROVIDER": "demo",
            },
            dotenv_path=NO_DOTENV,
            required=SERVE_NEEDS,
        )
    assert {problem.variable for problem in caught.value.problems} == {
        "PACKHOUSE_HTTP_PORT",
        "PACKHOUSE_LOG_LEVEL",
        "PACKHOUSE_SHOP_COLOUR",
        "PACKHOUSE_PUBLIC_URL",
        "PACKHOUSE_PAYMENT_PROVIDER",
        "PACKHOUSE_DATABASE_URL",
        "PACKHOUSE_CACHE_URL",
        "PACKHOUSE_SEED_KEY",
    }
    assert "8 settings are wrong" in str(caught.value)


@pytest.mark.parametrize(
    ("variable", "text", "reason"),
    [
        ("PACKHOUSE_HTTP_PORT", "0", "must be a whole number from 1 to 65535"),
        ("PACKHOUSE_HTTP_PORT", "80.5", "must be a whole number from 1 to 65535"),
        ("PACKHOUSE_HTTP_WORKERS", "65", "must be a whole number from 1 to 64"),
        ("PACKHOUSE_HTTP_HOST", "http://x", "must be a host name or an IP address"),
        ("PACKHOUSE_SHOP_NAME", "a" * 61, "must be one line of 1 to 60 characters"),
        ("PACKHOUSE_SHOP_NAME", "a\nb", "must be one line of 1 to 60 characters"),
        ("PACKHOUSE_ENVIRONMENT", "prod", "must be one of development, production, test"),
        ("PACKHOUSE_DEMO_ACCOUNTS", "maybe", "must be true or false"),
        ("PACKHOUSE_PUBLIC_URL", "shop.example", "must be http:// or https://"),
        ("PACKHOUSE_PUBLIC_URL", "https://shop.example/eu", "nothing after it"),
        ("PACKHOUSE_PUBLIC_URL", "https://", "must be a host name"),
        ("PACKHOUSE_PUBLIC_URL", "https://shop.example:port", "must be http:// or https://"),
        ("PACKHOUSE_CORS_ORIGINS", "https://a.example, *", "must be http:// or https://"),
        ("PACKHOUSE_TRUSTED_PROXIES", "10.0.0.1/8", "no network such as 10.0.0.0/8"),
        ("PACKHOUSE_TRUSTED_PROXIES", "0.0.0.0/0", "would believe anyone"),
        ("PACKHOUSE_RATE_LIMIT_PAGES", "100 per minute", "must read like 100/15m"),
        ("PACKHOUSE_RATE_LIMIT_PAGES", "0/1m", "must allow at least one request"),
        ("PACKHOUSE_RATE_LIMIT_PAGES", "1/2d", "in a window from 1s to 1d"),
        ("PACKHOUSE_DATABASE_URL", "mysql://127.0.0.1/shop", "must begin with postgresql://"),
        ("PACKHOUSE_DATABASE_URL", "postgresql:///shop", "names no host"),
        ("PACKHOUSE_CACHE_URL", "http://127.0.0.1", "must begin with valkey://"),
        ("PACKHOUSE_SEED_KEY", "c2hvcnQ=", "must be 32 bytes; this is 5"),
        ("PACKHOUSE_SEED_KEY", "not a key!", "is neither base64 nor hexadecimal"),
        ("PACKHOUSE_EMBEDDED", "true", "is set by `packhouse up` alone"),
        ("PACKHOUSE_PAYMENT_PROVIDER", "demo", "works only under `packhouse up`"),
    ],
)
def test_a_wrong_value_is_refused_with_its_name_and_the_reason(
    variable: str, text: str, reason: str
) -> None:
    message = refusal({variable: text})
    assert variable in message
    assert reason in message


@pytest.mark.parametrize("text", ["true", "TRUE", "1", "yes", "on"])
def test_yes_has_several_words(text: str) -> None:
    loaded = load_settings(
        {"PACKHOUSE_DEMO_ACCOUNTS": text}, dotenv_path=NO_DOTENV, overrides={"embedded": "true"}
    )
    assert loaded.settings.demo_accounts is True


@pytest.mark.parametrize("text", ["false", "False", "0", "no", "off"])
def test_no_has_several_words(text: str) -> None:
    assert load(PACKHOUSE_DEMO_ACCOUNTS=text).settings.demo_accounts is False


def test_lists_are_written_with_commas() -> None:
    settings = load(
        PACKHOUSE_TRUSTED_PROXIES="10.0.0.0/8, 192.0.2.7 ,fd00::/8",
        PACKHOUSE_CORS_ORIGINS="https://A.example:443,http://b.example:81/",
    ).settings
    assert settings.trusted_proxies == tuple(
        map(ip_network, ("10.0.0.0/8", "192.0.2.7/32", "fd00::/8"))
    )
    assert settings.cors_origins == ("https://a.example", "http://b.example:81")


@given(limit=st.integers(1, 10**9 - 1), window_seconds=st.integers(1, 86_400))
def test_a_rate_limit_reads_back_what_it_writes(limit: int, window_seconds: int) -> None:
    rate = RateLimit(limit, window_seconds)
    assert RateLimit.parse(str(rate)) == rate


@given(st.binary(min_size=32, max_size=32))
def test_a_seed_key_is_read_from_hexadecimal_and_both_kinds_of_base64(key: bytes) -> None:
    url_safe = base64.urlsafe_b64encode(key).decode().rstrip("=")
    for text in (key.hex(), base64.b64encode(key).decode(), url_safe):
        assert SeedKey.parse(text).reveal() == key


def test_production_refuses_plain_http_to_the_world() -> None:
    message = refusal(
        {
            "PACKHOUSE_ENVIRONMENT": "production",
            "PACKHOUSE_SEED_KEY": KEY_TEXT,
            "PACKHOUSE_PUBLIC_URL": "http://shop.example",
        }
    )
    assert "PACKHOUSE_PUBLIC_URL=http://shop.example: must begin with https://" in message


@pytest.mark.parametrize("url", ["https://shop.example", "http://localhost", "http://[::1]:8000"])
def test_production_takes_tls_or_this_very_machine(url: str) -> None:
    settings = load(
        PACKHOUSE_ENVIRONMENT="production", PACKHOUSE_SEED_KEY=KEY_TEXT, PACKHOUSE_PUBLIC_URL=url
    ).settings
    assert settings.public_url == url
    assert settings.has_secure_cookies == url.startswith("https")


def test_what_only_reads_the_draw_log_needs_no_key_of_it() -> None:
    assert set(WORKER_NEEDS) - set(SERVE_NEEDS) == {"log_key"}
    assert load(PACKHOUSE_LOG_KEY=KEY_TEXT).settings.log_key is not None


def test_production_needs_a_seed_key() -> None:
    assert "PACKHOUSE_SEED_KEY: is needed" in refusal({"PACKHOUSE_ENVIRONMENT": "production"})


@pytest.mark.parametrize("embedded", [True, False])
def test_production_refuses_the_demo_payment_provider(*, embedded: bool) -> None:
    with pytest.raises(InvalidSettings, match="cannot be demo in production"):
        load_settings(
            {
                "PACKHOUSE_ENVIRONMENT": "production",
                "PACKHOUSE_SEED_KEY": KEY_TEXT,
                "PACKHOUSE_PAYMENT_PROVIDER": "demo",
            },
            dotenv_path=NO_DOTENV,
            overrides={"embedded": embedded},
        )


def test_the_embedded_shop_may_have_demo_payments_and_accounts() -> None:
    settings = load_settings(
        {},
        dotenv_path=NO_DOTENV,
        overrides={"embedded": True, "payment_provider": "demo", "demo_accounts": True},
    ).settings
    assert settings.payment_provider == "demo"


def test_a_setting_that_is_needed_and_missing_is_named() -> None:
    with pytest.raises(InvalidSettings, match="PACKHOUSE_CACHE_URL: is needed and not set"):
        require_setting(load().settings.cache_url, name="cache_url")


def test_a_secret_is_revealed_only_to_who_asks() -> None:
    settings = load(
        PACKHOUSE_SEED_KEY=KEY_TEXT,
        PACKHOUSE_DATABASE_URL="postgresql://shop:hunter2@127.0.0.1/shop",
    ).settings
    database_url = require_setting(settings.database_url, name="database_url")
    assert f"{database_url}" == f"postgresql://shop:{MASK}@127.0.0.1/shop"
    assert database_url.reveal() == "postgresql://shop:hunter2@127.0.0.1/shop"
    assert require_setting(settings.seed_key, name="seed_key").reveal() == KEY
    for text in (repr(settings), str(settings)):
        assert "hunter2" not in text
        assert KEY_TEXT not in text
        assert repr(KEY) not in text


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("PACKHOUSE_SEED_KEY", "hunter2"),
        ("PACKHOUSE_LOG_KEY", "hunter2"),
        ("PACKHOUSE_SEED_KEY", "hunter2" + "x" * 57),
        ("PACKHOUSE_DATABASE_URL", "hunter2"),
        ("PACKHOUSE_DATABASE_URL", "mysql://shop:hunter2@127.0.0.1/shop"),
        ("PACKHOUSE_DATABASE_URL", "postgresql://shop:#hunter2@127.0.0.1:5432/shop"),
        ("PACKHOUSE_DATABASE_URL", "postgresql://shop:1/hunter2@127.0.0.1:5432/shop"),
        ("PACKHOUSE_DATABASE_URL", "postgresql://shop:1?hunter2@127.0.0.1:5432/shop"),
        ("PACKHOUSE_DATABASE_URL", "postgresql://shop:[hunter2@127.0.0.1/shop"),
        ("PACKHOUSE_CACHE_URL", "http://:hunter2@127.0.0.1"),
        ("PACKHOUSE_PUBLIC_URL", "https://shop:hunter2@shop.example"),
        ("PACKHOUSE_CORS_ORIGINS", "https://shop:hunter2@shop.example"),
    ],
)
def test_a_refused_secret_is_not_in_the_message(variable: str, text: str) -> None:
    message = refusal({variable: text})
    assert "hunter2" not in message
    assert MASK in message


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("redis://:pw@h:1/0", f"redis://:{MASK}@h:1/0"),
        ("postgresql://u:p/a@ss@h/d", f"postgresql://u:{MASK}@h/d"),
        ("postgresql://u@h/d?password=pw&x=1", f"postgresql://u@h/d?password={MASK}&x=1"),
        ("https://shop.example/packs?tier=S", "https://shop.example/packs?tier=S"),
    ],
)
def test_passwords_in_addresses_are_masked(text: str, masked: str) -> None:
    assert mask_url_passwords(text) == masked


@pytest.mark.parametrize(("workers", "share"), [(1, 16), (2, 8), (3, 5), (8, 2), (9, 2), (64, 2)])
def test_the_pool_is_shared_among_workers_and_leaves_each_two(workers: int, share: int) -> None:
    assert pool_size_per_web_worker(pool_size=20, workers=workers) == share


def test_every_setting_is_described_grouped_and_limited() -> None:
    grouped = [name for names in SETTING_GROUPS.values() for name in names]
    assert sorted(grouped) == sorted(Settings.__struct_fields__)
    for field in msgspec.structs.fields(Settings):
        assert re.fullmatch(r"[A-Z`].+[.)]", field.type.__metadata__[0].description), field.name


def test_the_settings_reference_is_current() -> None:
    page = ROOT / "docs/reference/settings.md"
    assert page.read_text(encoding="utf-8") == settings_reference(), (
        "run: .venv/bin/packhouse config --reference > docs/reference/settings.md"
    )


def test_the_dotenv_example_names_every_setting_an_owner_may_put_there() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = {line[1:].split("=")[0] for line in lines if line.startswith("#PACKHOUSE_")}
    theirs = set(Settings.__struct_fields__) - {"environment", "embedded"}
    assert named == {variable_of(name) for name in theirs}


def test_the_dotenv_example_is_accepted_with_every_line_taken(dotenv: Path) -> None:
    text = (ROOT / ".env.example").read_text(encoding="utf-8")
    dotenv.write_text(text.replace("#PACKHOUSE_", "PACKHOUSE_"), encoding="utf-8")
    assert load_settings({}, dotenv_path=dotenv).origins["http_port"] == ".env"


@pytest.fixture
def program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> typer.Typer:
    """The command alone, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    program = typer.Typer()
    program.command("config")(config_command)
    return program


def test_the_config_command_prints_values_and_origins_with_secrets_masked(
    program: typer.Typer,
) -> None:
    outcome = CliRunner().invoke(
        program,
        env={"PACKHOUSE_CACHE_URL": "redis://:hunter2@127.0.0.1", "PACKHOUSE_SHOP_NAME": "[b]"},
    )
    assert outcome.exit_code == 0
    assert re.search(r"SHOP_NAME +\[b\] +environment +The shop's name", outcome.stdout)
    assert re.search(r"HTTP_PORT +8000 +default ", outcome.stdout)
    assert f"redis://:{MASK}@127.0.0.1" in outcome.stdout
    assert "hunter2" not in outcome.output


def test_the_config_command_prints_json_for_machines(program: typer.Typer) -> None:
    outcome = CliRunner().invoke(program, ["--json"], env={"PACKHOUSE_SEED_KEY": KEY_TEXT})
    rows = {row["name"]: row for row in msgspec.json.decode(outcome.stdout)["settings"]}
    assert rows["seed_key"]["value"] == MASK
    assert rows["seed_key"]["origin"] == "environment"
    assert rows["http_port"]["value"] == 8000
    assert rows["trusted_proxies"]["value"] == []
    assert rows["rate_limit_pages"]["value"] == "600/1m"
    assert rows["database_url"]["value"] is None


def test_the_config_command_ends_with_2_when_a_setting_is_wrong(program: typer.Typer) -> None:
    outcome = CliRunner().invoke(
        program,
        ["--json"],
        env={"PACKHOUSE_HTTP_PORT": "x", "PACKHOUSE_DATABASE_URL": "mysql://u:hunter2@h/d"},
    )
    assert outcome.exit_code == 2
    assert outcome.stdout == ""
    assert "PACKHOUSE_HTTP_PORT=x (environment): must be a whole number" in outcome.stderr
    assert "PACKHOUSE_DATABASE_URL" in outcome.stderr
    assert "hunter2" not in outcome.output


def test_replicas_are_named_one_by_one_and_none_shows_its_password() -> None:
    urls = "postgresql://shop:hush-1@a:5433/shop, postgresql://shop:hush-2@b/shop"
    settings = load(PACKHOUSE_DATABASE_REPLICA_URLS=urls).settings
    assert [each.reveal() for each in settings.database_replica_urls] == urls.split(", ")
    assert "hush" not in repr(settings)
    wrong = refusal({"PACKHOUSE_DATABASE_REPLICA_URLS": f"{urls},mysql://shop:hush-3@c/shop"})
    assert "must begin with" in wrong
    assert "hush" not in wrong
    assert "may name" in refusal({"PACKHOUSE_DATABASE_REPLICA_URLS": ",".join([urls] * 5)})
