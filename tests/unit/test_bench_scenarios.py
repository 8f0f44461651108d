"""The registry of the bench: every scenario is found by its name and says what it measures."""

import importlib
import inspect
from fractions import Fraction
from pathlib import Path

import pytest

from packhouse.bench import scenarios
from packhouse.bench.scenarios import SCENARIOS
from packhouse.bench.scenarios.vault import vault_script
from packhouse.bench.stock import expected_copies
from packhouse.draws import CardOdds, Layout, PackConfig, SellBack, Slot, TierOdds
from packhouse.foundation.identifiers import CardId, new_id

FOLDER = Path(scenarios.__file__).parent
MODULES = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


@pytest.mark.parametrize("module", MODULES)
def test_every_scenario_is_registered_once(module: str) -> None:
    scenario = importlib.import_module(f"packhouse.bench.scenarios.{module}").SCENARIO
    assert SCENARIOS[scenario.name] is scenario
    assert scenario.measures.endswith(".")
    assert inspect.iscoroutinefunction(scenario.run)


def test_nothing_is_registered_twice() -> None:
    assert len(SCENARIOS) == len(MODULES)


def test_the_vaults_script_has_every_argument_of_its_query() -> None:
    assert "$" not in vault_script()


def test_what_an_opening_takes_from_stock_adds_up_to_its_cards() -> None:
    common, rare, digital = (CardId(new_id()) for _ in range(3))
    commons = (CardOdds(common, 3, 10, True), CardOdds(digital, 1, 10, False))  # noqa: FBT003
    rares = (CardOdds(rare, 1, 90, True),)  # noqa: FBT003
    odds = (TierOdds("D", 9, commons), TierOdds("S", 1, rares))
    config = PackConfig(
        format="packhouse.pack/1",
        slug="two",
        number=1,
        name="Two",
        description="",
        kind="odds",
        price=100,
        sell_back=SellBack(8_000, 86_400),
        out_of_stock="pay_locked_value",
        layouts=(
            Layout("Common", 1, (Slot("Card", 2, odds),)),
            Layout("Rare", 1, (Slot("Card", 2, odds[1:]),)),
        ),
        lot=None,
    )
    copies = expected_copies(config)
    assert copies == {common: Fraction(27, 40), rare: Fraction(11, 10)}
