"""What is deployed is what the code has: roles, ports, settings, rights, connections."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from packhouse.cli.serve import PORTS, Role
from packhouse.foundation.limits import ADMIN_CONNECTIONS, LIVE_CONNECTIONS, WORKER_CONNECTIONS
from packhouse.plumbing.settings import Settings, load_settings

ROOT: Final = Path(__file__).parents[2]
BASE: Final = ROOT / "deploy/kubernetes/base"
COMPONENTS: Final = ROOT / "deploy/kubernetes/components"
MANIFESTS: Final = sorted([*BASE.glob("*.yaml"), *COMPONENTS.rglob("*.yaml")])
VARIABLES: Final = {f"PACKHOUSE_{name.upper()}" for name in Settings.__struct_fields__}


def documents() -> list[dict[str, Any]]:
    return [
        each
        for path in MANIFESTS
        if path.name != "kustomization.yaml"
        for each in yaml.safe_load_all(path.read_text(encoding="utf-8"))
    ]


def pod_of(document: dict[str, Any]) -> dict[str, Any]:
    spec = document["spec"]
    if document["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: dict[str, Any] = spec["template"]["spec"]
    return found


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    for document in documents():
        if document["kind"] in {"Deployment", "Job", "CronJob"}:
            yield document["metadata"]["name"], pod_of(document)


def settings_env() -> dict[str, str]:
    lines = (BASE / "settings.env").read_text(encoding="utf-8").split()
    return dict(line.split("=", 1) for line in lines)


PODS: Final = dict(pods())
OURS: Final = {name: pod for name, pod in PODS.items() if name != "packhouse-valkey"}


@pytest.mark.parametrize("name", PODS)
def test_no_container_is_root_or_writes_its_own_files(name: str) -> None:
    pod = PODS[name]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["runAsUser"] > 0
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        rights = container["securityContext"]
        assert rights["readOnlyRootFilesystem"] is True
        assert rights["allowPrivilegeEscalation"] is False
        assert rights["capabilities"] == {"drop": ["ALL"]}
        assert container["resources"]["limits"]["memory"]
        assert container["resources"]["requests"]["cpu"]


@pytest.mark.parametrize("name", OURS)
def test_every_variable_is_a_setting_and_no_secret_is_written_down(name: str) -> None:
    pod = OURS[name]
    # A Service named packhouse would add variables that the shop refuses.
    assert pod["enableServiceLinks"] is False
    for container in pod["containers"]:
        for variable in container["env"]:
            assert variable["name"] in VARIABLES
            if re.search(r"URL|KEY", variable["name"]):
                assert variable["valueFrom"]["secretKeyRef"]


def test_the_settings_of_all_pods_are_valid() -> None:
    given = {
        **settings_env(),
        "PACKHOUSE_PUBLIC_URL": "https://shop.example",
        "PACKHOUSE_SEED_KEY": "00" * 32,
    }
    assert load_settings(given).settings.environment == "production"


@pytest.mark.parametrize("role", Role)
def test_every_role_is_deployed_at_its_port_with_its_probes(role: Role) -> None:
    (container,) = OURS[f"packhouse-{role}"]["containers"]
    assert container["args"] == ["serve", role]
    assert container["ports"] == [
        {"name": "http", "containerPort": getattr(Settings(), PORTS[role])}
    ]
    for probe, path in (("readinessProbe", "ready"), ("livenessProbe", "live")):
        assert container[probe]["httpGet"] == {"path": f"/health/{path}", "port": "http"}


def test_only_who_draws_or_signs_is_given_a_key() -> None:
    keys = {
        name.removeprefix("packhouse-"): sorted(
            variable["name"]
            for container in pod["containers"]
            for variable in container["env"]
            if variable["name"].endswith("_KEY")
        )
        for name, pod in OURS.items()
    }
    assert keys["live"] == []
    assert keys["worker"] == ["PACKHOUSE_LOG_KEY", "PACKHOUSE_SEED_KEY"]
    assert {role for role, held in keys.items() if "PACKHOUSE_LOG_KEY" in held} == {"worker"}


def test_all_instances_together_fit_postgresqls_connections() -> None:
    most = {
        document["spec"]["scaleTargetRef"]["name"]: document["spec"]["maxReplicas"]
        for document in documents()
        if document["kind"] == "HorizontalPodAutoscaler"
    }
    pool = int(settings_env()["PACKHOUSE_DATABASE_POOL_SIZE"])
    # One more of each while a deploy goes on.
    wanted = sum(
        (most[f"packhouse-{role}"] + 1) * connections
        for role, connections in (
            ("web", pool + ADMIN_CONNECTIONS),
            ("api", pool),
            ("admin", pool),
            ("live", LIVE_CONNECTIONS),
        )
    )
    wanted += 3 * WORKER_CONNECTIONS
    (cluster,) = (each for each in documents() if each["kind"] == "Cluster")
    allowed = int(cluster["spec"]["postgresql"]["parameters"]["max_connections"])
    assert wanted <= allowed


def test_a_pod_has_time_to_drain_and_finish() -> None:
    drain = int(settings_env()["PACKHOUSE_DRAIN_SECONDS"])
    for role in Role:
        grace = OURS[f"packhouse-{role}"]["terminationGracePeriodSeconds"]
        assert grace > drain + 10 + 5


def test_compose_runs_every_role_with_settings_that_exist() -> None:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
    services = compose["services"]
    for role in Role:
        assert services[role]["command"] == ["serve", role]
        assert services[role]["read_only"] is True
        assert set(services[role]["environment"]) <= VARIABLES


def test_the_image_is_not_root_and_takes_nothing_but_the_code() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.findall(r"^USER (.*)$", dockerfile, re.MULTILINE)[-1] == "10001:10001"
    assert "--require-hashes" in dockerfile
    ignored = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert ignored[1] == "*"
    named = {line.strip("!") for line in ignored if line.startswith("!")}
    locks = {"requirements.lock", "requirements-image.lock"}
    assert named == {"pyproject.toml", "README.md", "src", *locks}
