"""The configurations beside a log, each read once."""

from packhouse.verify.configs import LotTerms, PublishedConfig, read_config
from packhouse.verify.findings import CouldNotLook, Differs, Mismatch
from packhouse.verify.looking import NotThere
from packhouse.verify.redraws import DrawPlan, plan_draws
from packhouse.verify.tiles import LogFiles

ABOUT = "the configuration"


class PublishedConfigs:
    """Configurations by their hash; None for what is not in order or not to be had."""

    def __init__(self, files: LogFiles) -> None:
        self._files = files
        self._configs: dict[str, PublishedConfig | None] = {}
        self._plans: dict[str, DrawPlan | None] = {}
        self.mismatches: dict[str, Mismatch] = {}
        self.unseen: dict[str, str] = {}

    def find(self, config_hash: str) -> PublishedConfig | None:
        """A configuration; why there is none stands in ``mismatches`` or ``unseen``."""
        if config_hash not in self._configs:
            self._configs[config_hash] = self._read(config_hash)
        return self._configs[config_hash]

    def find_plan(self, config_hash: str) -> DrawPlan | None:
        """The draws of an odds pack."""
        if config_hash not in self._plans:
            config = self.find(config_hash)
            is_odds = config is not None and not isinstance(config.terms, LotTerms)
            self._plans[config_hash] = plan_draws(config) if config and is_odds else None
        return self._plans[config_hash]

    def _read(self, config_hash: str) -> PublishedConfig | None:
        name = f"configs/{config_hash}.json"
        try:
            return read_config(self._files.read(name), config_hash=config_hash)
        except NotThere:
            self.mismatches[config_hash] = Mismatch(name, "a published configuration", "none")
        except CouldNotLook as error:
            self.unseen[config_hash] = str(error)
        except Differs as error:
            mismatch = error.mismatch
            self.mismatches[config_hash] = Mismatch(
                mismatch.field.replace(ABOUT, name, 1), mismatch.expected, mismatch.found
            )
        return None
