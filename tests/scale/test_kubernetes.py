"""Every overlay is built by ``kubectl kustomize`` and holds against Kubernetes' own schemas."""

import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[2]
BESIDE: Final = Path(sys.executable).parents[1].parent / ".venv-scale" / "bin"
NOT_KUBERNETES_OWN: Final = ("Cluster", "ScheduledBackup", "ServiceMonitor")
"""Kinds of operators; their schemas are in no registry that we use."""

pytestmark = pytest.mark.scale


@pytest.mark.parametrize("overlay", ["small", "growth", "large"])
def test_an_overlay_is_valid(overlay: str, tmp_path: Path) -> None:
    built = subprocess.run(
        [BESIDE / "kubectl", "kustomize", ROOT / "deploy/kubernetes/overlays" / overlay],
        capture_output=True,
        text=True,
        check=True,
    )
    manifest = tmp_path / f"{overlay}.yaml"
    manifest.write_text(built.stdout)
    judged = subprocess.run(
        [BESIDE / "kubernetes-validate", "--strict", manifest],
        capture_output=True,
        text=True,
        check=False,
    )
    said = [line for line in (judged.stdout + judged.stderr).splitlines() if "INFO" not in line]
    assert judged.returncode == 0, said
    unknown = [line for line in said if not any(kind in line for kind in NOT_KUBERNETES_OWN)]
    assert unknown == []
