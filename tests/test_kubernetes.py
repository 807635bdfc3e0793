"""The base for Kubernetes: built by kustomize, held to the schemas of Kubernetes without a cluster, and OPA run in a
container exactly as its pods would run it."""

import subprocess
import time
from pathlib import Path
from typing import Any

import docker
import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import requests
import trustme
import yaml
from bundles import FILE, Store, bundle, wait_for
from conftest import ROOT, free_port
from payer_policy import Decision, PolicyClient

BASE = ROOT / "deploy" / "kubernetes"
Resource = dict[str, Any]


@pytest.fixture(scope="module")
def resources() -> dict[tuple[str, str], Resource]:
    built = subprocess.run([ROOT / ".tools/bin/kustomize", "build", BASE], capture_output=True, text=True)
    assert built.returncode == 0, built.stderr
    documents = list(yaml.safe_load_all(built.stdout))
    return {(document["kind"], document["metadata"]["name"]): document for document in documents}


@pytest.fixture(scope="module")
def pod(resources: dict[tuple[str, str], Resource]) -> Resource:
    spec: Resource = resources["Deployment", "payer-policy"]["spec"]["template"]["spec"]
    return spec


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
    assert named == {file.name for file in BASE.iterdir()} - {"kustomization.yaml"}


def test_pods_meet_the_restricted_standard(resources: dict[tuple[str, str], Resource], pod: Resource) -> None:
    labels = resources["Namespace", "payer-policy"]["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & set(pod)
    [container] = pod["containers"]
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    assert {kind for volume in pod["volumes"] for kind in volume} == {"name", "configMap", "secret", "emptyDir"}


def test_holds_no_secret_and_names_three(resources: dict[tuple[str, str], Resource], pod: Resource) -> None:
    assert "Secret" not in {kind for kind, _ in resources}
    guide = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    secrets = [volume["secret"]["secretName"] for volume in pod["volumes"] if "secret" in volume]
    assert len(secrets) == 3
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


def test_adds_to_the_configuration_of_a_single_machine() -> None:
    alone, cluster = (
        yaml.safe_load(file.read_text(encoding="utf-8"))
        for file in (ROOT / "deploy" / "bundle.yaml", BASE / "opa.yaml")
    )
    del cluster["persistence_directory"], cluster["services"]["payer-policy"]["credentials"]
    assert cluster["bundles"]["payer-policy"].pop("persist") is True
    assert cluster == alone


def test_opa_runs_as_the_pods_say(
    resources: dict[tuple[str, str], Resource],
    pod: Resource,
    engine: docker.DockerClient,
    opa_image: str,
    key: Path,
    tmp_path: Path,
) -> None:
    [container] = pod["containers"]
    config = {name.rsplit("-", 1)[0]: item["data"] for (kind, name), item in resources.items() if kind == "ConfigMap"}
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    files = {
        "/config/opa.yaml": config["opa-config"]["opa.yaml"].encode(),
        "/run/secrets/bundle-key/payer-policy.pub.pem": key.with_suffix(".pub.pem").read_bytes(),
        "/run/secrets/store/token": b"t0ken",
        "/run/secrets/tls/tls.crt": certificate.cert_chain_pems[0].bytes(),
        "/run/secrets/tls/tls.key": certificate.private_key_pem.bytes(),
    }
    volumes = {}
    here = {path: tmp_path / path.replace("/", "_") for path in files}
    for path, content in files.items():
        here[path].write_bytes(content)
        volumes[str(here[path])] = {"bind": path, "mode": "ro"}
    mounted = {mount["mountPath"] for mount in container["volumeMounts"]} - {"/var/lib/opa"}
    assert {str(Path(path).parent) for path in files} == mounted
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    (tmp_path / "store").mkdir()
    store = Store(tmp_path / "store")
    store.handler.token = "t0ken"
    ports = {"8181": free_port(), "8282": free_port()}
    arguments = [
        argument.replace("0.0.0.0:8181", f"127.0.0.1:{ports['8181']}").replace(
            "0.0.0.0:8282", f"127.0.0.1:{ports['8282']}"
        )
        for argument in container["args"]
    ]
    arguments[arguments.index("--tls-cert-refresh-period=1m")] = "--tls-cert-refresh-period=1s"
    running = engine.containers.run(
        opa_image,
        arguments,
        environment={
            **config["payer-policy-store"],
            **{variable["name"]: variable["value"] for variable in container["env"]},
            "PAYER_POLICY_URL": f"http://127.0.0.1:{store.port}",
            "PAYER_POLICY_POLL_MIN": "1",
            "PAYER_POLICY_POLL_MAX": "1",
        },
        volumes=volumes,
        tmpfs={"/var/lib/opa": "size=16m,uid=1000,gid=1000"},
        network_mode="host",
        user=f"{pod['securityContext']['runAsUser']}:{pod['securityContext']['runAsGroup']}",
        read_only=True,
        cap_drop=["ALL"],
        security_opt=["no-new-privileges:true"],
        mem_limit="256m",
        detach=True,
    )

    def diagnostic(path: str, scheme: str = "https") -> requests.Response:
        return requests.get(f"{scheme}://127.0.0.1:{ports['8282']}{path}", timeout=3, verify=str(tmp_path / "ca.pem"))

    def probe(name: str) -> bool:
        try:
            get = container[name]["httpGet"]
            return diagnostic(get["path"], get["scheme"].lower()).ok
        except requests.RequestException:
            return False

    try:
        deadline = time.monotonic() + 30
        while not probe("startupProbe"):
            assert time.monotonic() < deadline, running.logs().decode()
            time.sleep(0.1)
        assert (probe("livenessProbe"), probe("readinessProbe")) == (True, False)  # no store yet: alive, not ready
        bundle(ROOT / "policy", tmp_path / "store" / FILE, "1", key)
        store.start()
        with PolicyClient(f"https://127.0.0.1:{ports['8181']}", ca_file=tmp_path / "ca.pem") as client:
            wait_for("1", client)
            assert (probe("livenessProbe"), probe("readinessProbe")) == (True, True)
            request = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {"disease": "dlbcl"}}
            [decision] = client.decide_many([request])
            assert isinstance(decision, Decision)
            assert decision.outcome == "not_approved"
            # A new token for the store, and a new certificate: no restart.
            store.handler.token = "t0ken-2"
            here["/run/secrets/store/token"].write_bytes(b"t0ken-2")
            bundle(ROOT / "policy", tmp_path / "store" / FILE, "2", key)
            wait_for("2", client)
        assert diagnostic("/metrics").ok
        assert diagnostic("/v1/data").status_code == 404
        successor = trustme.CA()
        certificate = successor.issue_cert("127.0.0.1")
        here["/run/secrets/tls/tls.key"].write_bytes(certificate.private_key_pem.bytes())
        here["/run/secrets/tls/tls.crt"].write_bytes(certificate.cert_chain_pems[0].bytes())
        successor.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
        deadline = time.monotonic() + 30
        while not probe("readinessProbe"):
            assert time.monotonic() < deadline, "the new certificate is not served"
            time.sleep(0.2)
        running.stop(timeout=25)
        running.reload()
        assert running.attrs["State"]["ExitCode"] == 0  # it went by itself, within the grace of the pod
    finally:
        running.remove(force=True, v=True)
        store.stop()
