"""How ``packhouse up`` hands its settings to the processes that it starts."""

import os

from packhouse.plumbing.settings import SERVE_NEEDS, LoadedSettings, load_settings


def load_process_settings() -> LoadedSettings:
    """This process's settings, from the environment."""
    return load_settings(os.environ, required=SERVE_NEEDS)
