"""The base for Kubernetes: built by kustomize, held to the schemas of Kubernetes without a cluster, and OPA run in a
container exactly as its pods would run it."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from payer_policy import Decision, PolicyRefused

from tests import ROOT
from tests.stage.attacks import ATTACKS, Attack, tried
from tests.stage.bundles import FILE, usurper, wait_for
from tests.stage.opa import eventually
from tests.stage.production import Pod, Resource, built, fill, pod

BASE = ROOT / "deploy" / "kubernetes"


@pytest.fixture(scope="module")
def resources() -> dict[tuple[str, str], Resource]:
    return built()


@pytest.fixture(scope="module")
def spec(resources: dict[tuple[str, str], Resource]) -> Resource:
    found: Resource = resources["Deployment", "payer-policy"]["spec"]["template"]["spec"]
    return found


def test_is_valid_kubernetes(resources: dict[tuple[str, str], Resource]) -> None:
    kinds = [kind for kind, _ in resources]
    assert sorted(set(kinds)) == [
        *("ConfigMap", "Deployment", "HorizontalPodAutoscaler", "Namespace", "NetworkPolicy"),
        *("PodDisruptionBudget", "Service", "ServiceAccount"),
    ]
    for version in ("1.30", "1.34"):
        for resource in resources.values():
            kubernetes_validate.validate(resource, version, strict=True)
    deployment = resources["Deployment", "payer-policy"]
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**deployment, "spek": {}}, "1.34", strict=True)


def test_every_file_is_in_the_base() -> None:
    kustomization = yaml.safe_load((BASE / "kustomization.yaml").read_text(encoding="utf-8"))
    files = {name for generator in kustomization["configMapGenerator"] for name in generator.get("files", [])}
    named = {*kustomization["resources"], *files}
    assert named == {file.name for file in BASE.iterdir()} - {"kustomization.yaml"} | {"../opa"}


def test_the_guard_is_in_the_base_whole(resources: dict[tuple[str, str], Resource], spec: Resource) -> None:
    [volume] = [volume for volume in spec["volumes"] if volume["name"] == "guard"]
    guard = {file.name: file.read_text(encoding="utf-8") for file in (ROOT / "deploy" / "opa").iterdir()}
    del guard["Kustomization"]
    assert resources["ConfigMap", volume["configMap"]["name"]]["data"] == guard


def test_pods_meet_the_restricted_standard(resources: dict[tuple[str, str], Resource], spec: Resource) -> None:
    labels = resources["Namespace", "payer-policy"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert spec["securityContext"]["runAsNonRoot"] is True
    assert spec["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert spec["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(spec)
    [container] = spec["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {kind for volume in spec["volumes"] for kind in volume} == {"name", "configMap", "secret", "emptyDir"}


def test_holds_no_secret_and_names_four(resources: dict[tuple[str, str], Resource], spec: Resource) -> None:
    assert "Secret" not in {kind for kind, _ in resources}
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    secrets = [volume["secret"]["secretName"] for volume in spec["volumes"] if "secret" in volume]
    [opa] = spec["containers"]
    secrets += [variable["valueFrom"]["secretKeyRef"]["name"] for variable in opa["env"] if "valueFrom" in variable]
    assert len(set(secrets)) == 4
    assert all(f"`{secret}`" in guide for secret in secrets)


def test_selects_its_own_pods(resources: dict[tuple[str, str], Resource]) -> None:
    template = resources["Deployment", "payer-policy"]["spec"]["template"]
    labels = template["metadata"]["labels"]
    assert resources["Service", "payer-policy"]["spec"]["selector"].items() <= labels.items()
    for kind, field in [("PodDisruptionBudget", "selector"), ("NetworkPolicy", "podSelector")]:
        assert resources[kind, "payer-policy"]["spec"][field]["matchLabels"].items() <= labels.items()
    assert resources["NetworkPolicy", "deny-all"]["spec"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert resources["PodDisruptionBudget", "payer-policy"]["spec"]["minAvailable"] == 2
    autoscaler = resources["HorizontalPodAutoscaler", "payer-policy"]["spec"]
    assert autoscaler["minReplicas"] == 3
    assert autoscaler["scaleTargetRef"]["name"] == "payer-policy"


def test_calls_nobody_but_who_is_named(resources: dict[tuple[str, str], Resource]) -> None:
    policy = resources["NetworkPolicy", "payer-policy"]["spec"]
    names, store = policy["egress"]
    assert [port["port"] for port in names["ports"]] == [53, 53]
    assert store == {"to": [{"ipBlock": {"cidr": "192.0.2.1/32"}}], "ports": [{"port": 443}]}
    for rule in policy["ingress"] + policy["egress"]:
        assert all(rule.get("from", rule.get("to")))


def test_the_image_is_named_by_its_digest(spec: Resource) -> None:
    [opa] = spec["containers"]
    name, _, digest = opa["image"].partition("@")
    compose = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
    assert compose["services"]["opa"]["image"] == f"${{OPA_IMAGE:-{name}}}"
    assert digest == "sha256:" + 64 * "0"  # no image has it: who sets none gets none


def test_one_configuration_for_compose_for_a_bundle_and_for_a_cluster() -> None:
    production, polled, cluster = (
        yaml.safe_load((ROOT / "deploy" / name).read_text(encoding="utf-8"))
        for name in ("production.yaml", "bundle.yaml", "kubernetes/opa.yaml")
    )
    del cluster["persistence_directory"], cluster["services"]["payer-policy"]["credentials"]
    assert cluster["bundles"]["payer-policy"].pop("persist") is True
    assert cluster == polled
    for added in ("services", "keys", "bundles"):
        del polled[added]
    assert polled == production


def test_the_overlay_of_the_guide(tmp_path: Path) -> None:
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    [text] = re.findall(r"^```yaml\n(apiVersion: kustomize.*?)^```$", guide, re.DOTALL | re.MULTILINE)
    overlay = yaml.safe_load(text)
    overlay["resources"] = [os.path.relpath(BASE, tmp_path)]
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump(overlay), encoding="utf-8")
    resources = built(tmp_path)
    [opa] = resources["Deployment", "payer-policy"]["spec"]["template"]["spec"]["containers"]
    assert opa["image"] == f"openpolicyagent/opa@{overlay['images'][0]['digest']}"
    [store] = opa["envFrom"]
    url = resources["ConfigMap", store["configMapRef"]["name"]]["data"]["PAYER_POLICY_URL"]
    assert overlay["configMapGenerator"][0]["literals"] == [f"PAYER_POLICY_URL={url}"]
    _, egress = resources["NetworkPolicy", "payer-policy"]["spec"]["egress"]
    assert egress == {"to": [{"ipBlock": {"cidr": "198.51.100.7/32"}}], "ports": [{"port": 443}]}


@pytest.fixture(scope="module")
def running(opa_image: str) -> Iterator[Pod]:
    with pod(opa_image) as running:
        running.publish("1")
        running.store.start()
        running.until("readinessProbe")
        yield running


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack: Attack, running: Pod) -> None:
    assert tried(attack, running).problem is None


def test_no_attack_restarted_it(running: Pod) -> None:
    assert running.restarts() == 0


def test_an_operator_alone_reads_the_diagnostic_address(running: Pod) -> None:
    for path, operator in (("/metrics", 200), ("/health", 200), ("/v1/data", 401)):
        for role, status in ((None, 401), ("service", 401), ("operator", operator)):
            assert running.diagnostic(path, role).status_code == status


def test_a_bundle_that_reaches_for_the_guard_is_refused(running: Pod) -> None:
    usurper(running.store.folder / FILE, [""], running.key)
    eventually(lambda: b"overlapping roots" in running.container.logs())
    assert running.send(Attack("", "GET", "/v1/policies", b"", None).bytes(running.tokens)).status == 401
    with running.client() as client:
        assert client.health().revisions["payer-policy"] == "1"


def test_opa_runs_as_the_pods_say(opa_image: str) -> None:
    with pod(opa_image) as running:
        assert (running.probe("livenessProbe"), running.probe("readinessProbe")) == (True, False)  # no store yet
        running.publish("1")
        running.store.start()
        with running.client() as client:
            wait_for("1", client)
            assert (running.probe("livenessProbe"), running.probe("readinessProbe")) == (True, True)
            request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "dlbcl"}}
            [decision] = client.decide_many([request])
            assert isinstance(decision, Decision)
            assert decision.outcome == "not_approved"
            # A new token for the store, and a new certificate: no restart.
            running.store.handler.token = "t0ken-2"
            fill(running.volumes["store"], {"token": b"t0ken-2"})
            running.publish("2")
            wait_for("2", client)
        with running.client("another") as client, pytest.raises(PolicyRefused):
            client.decide(request)
        assert f'"decision_id":"{decision.provenance.decision_id}"' in running.container.logs().decode()
        assert "dlbcl" not in running.container.logs().decode()
        running.certify()
        running.until("readinessProbe")
        assert running.restarts() == 0
        running.container.stop(timeout=25)
        running.container.reload()
        assert running.container.attrs["State"]["ExitCode"] == 0  # it went by itself, within the grace of the pod
