"""OPA as it runs in production: who is answered, what is refused, what is logged."""

from __future__ import annotations

import hashlib
import json
import shutil
import socket
import ssl
import warnings
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import docker
import pytest
import requests
from payer_policy import PolicyClient, PolicyRefused, PolicyUnreachable

from tests import ROOT
from tests.stage.attacks import ATTACKS, DECISION, DECISIONS, MAX, Attack, tried
from tests.stage.bundles import Polling, bundle, polling, revision_of, usurper, wait_for
from tests.stage.canary import Canaries, Channel, ask, decision_log, everywhere
from tests.stage.opa import eventually, free_port, serving, wait_until_healthy
from tests.stage.production import COMPOSE_FILE, Production, Project, production

REQUEST = {"document": "CC-0126", "date_of_service": "2025-06-01", "facts": {}}
GUARDED = {
    "environment": {"PAYER_POLICY_SERVICE_TOKEN_SHA256": hashlib.sha256(b"token").hexdigest()},
    "volumes": {str(ROOT / "deploy" / "opa"): {"bind": "/opa-rego", "mode": "ro"}},
}


@pytest.fixture(scope="module")
def opa(opa_image: str) -> Iterator[Production]:
    with production(opa_image) as opa:
        yield opa


# Access


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_attack(attack: Attack, opa: Production) -> None:
    assert tried(attack, opa).problem is None


def test_attacks_are_many_and_left_opa_running(opa: Production) -> None:
    assert len({attack.name for attack in ATTACKS}) == len(ATTACKS) == 166
    assert opa.restarts() == 0


def test_a_service_asks_the_policy(opa: Production) -> None:
    with opa.client() as policy:
        assert policy.health().opa_version
        assert policy.decide(REQUEST).outcome.value == "needs_information"
        assert len(list(policy.decide_many([REQUEST] * 120))) == 120
        assert "CC-0126" in [document["document"] for document in policy.catalogue()["documents"]]


@pytest.mark.parametrize("path", ["/health", "/metrics", "/v1/status", "/health/ready"])
def test_an_operator_reads_the_state(path: str, opa: Production) -> None:
    assert opa.send(Attack(path, "GET", path, b"", "operator", ()).bytes(opa.tokens)).status == 200


def test_a_probe_needs_no_token(opa: Production) -> None:
    answer = opa.send(Attack("", "GET", "/health/ready", b"", None, ()).bytes(opa.tokens))
    assert (answer.status, answer.body.strip()) == (200, b"{}")


def test_client_tells_a_refusal(opa: Production) -> None:
    with opa.client(opa.tokens["operator"]) as policy, pytest.raises(PolicyRefused):
        policy.decide(REQUEST)


def test_a_parameter_that_go_drops_is_not_obeyed(opa: Production) -> None:
    answer = opa.send(Attack("", target=f"{DECISION}?explain=full;metrics").bytes(opa.tokens))
    assert answer.status == 200
    assert set(json.loads(answer.body.split(b"\r\n")[1])) == {"decision_id", "result"}


@pytest.mark.parametrize("missing", ["authz.rego", "mask.rego"])
def test_nobody_is_answered_when_a_guard_is_missing(
    missing: str, engine: docker.DockerClient, opa_image: str, tmp_path: Path
) -> None:
    shutil.copytree(ROOT / "deploy" / "opa", tmp_path / "opa")
    shutil.copytree(ROOT / "policy", tmp_path / "opa" / "policy")
    (tmp_path / "opa" / missing).unlink()
    port = free_port()
    with serving(engine, opa_image, port, "--authorization=basic", policy=tmp_path / "opa"):
        answer = once_up(f"http://127.0.0.1:{port}/health/ready")
    assert answer.status_code == (500 if missing == "authz.rego" else 401)


# Limits


def test_a_larger_batch_than_the_policy_takes_is_halved_by_the_client(opa: Production) -> None:
    with opa.client(deadline=60, timeout=(3, 60)) as policy:
        answers = list(policy.decide_many([{}] * 1500, batch_size=1500))
    assert [answer.outcome.value for answer in answers] == ["invalid_request"] * 1500  # type: ignore[union-attr]


def test_largest_bodies_at_once_without_a_token(opa: Production) -> None:
    """Such a body takes a hundred times its size while it is read; docs/security.md says how many there may be."""
    body = b'{"input":[' + b'{"a":[]},' * (MAX // 9 - 3) + b"0]}"
    request = Attack("", target=DECISIONS, body=body, role=None).bytes(opa.tokens)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: opa.send(request, 60).status, range(8)))
    assert answers == [401] * 8
    assert opa.restarts() == 0


def test_requests_that_never_end_keep_nobody_out(opa: Production) -> None:
    context = ssl.create_default_context(cafile=opa.ca)
    with ExitStack() as open_:
        for _ in range(200):
            plain = open_.enter_context(socket.create_connection(("127.0.0.1", opa.port), timeout=10))
            connection = open_.enter_context(context.wrap_socket(plain, server_hostname="127.0.0.1"))
            connection.sendall(b"POST /v1/data/payer/decision HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{")
        with opa.client() as policy:
            assert policy.decide(REQUEST)


# TLS


@pytest.mark.parametrize(("version", "taken"), [("TLSv1_1", False), ("TLSv1_2", True), ("TLSv1_3", True)])
def test_versions_of_tls(version: str, taken: bool, opa: Production) -> None:
    context = ssl.create_default_context(cafile=opa.ca)
    context.set_ciphers("DEFAULT:@SECLEVEL=0")  # else OpenSSL itself would refuse the old ones
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        context.minimum_version = context.maximum_version = ssl.TLSVersion[version]
    with socket.create_connection(("127.0.0.1", opa.port), timeout=10) as plain:
        if taken:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()
        else:
            with pytest.raises(ssl.SSLError, match="alert protocol version"):
                context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_no_answer_without_tls(opa: Production) -> None:
    answer = requests.get(f"http://127.0.0.1:{opa.port}/health/ready", timeout=10)
    assert (answer.status_code, answer.text) == (400, "Client sent an HTTP request to an HTTPS server.\n")


def test_mutual_tls_beside_tokens_that_rotate(opa_image: str) -> None:
    tokens = ["the old one", "the new one"]
    hashes = " ".join(hashlib.sha256(token.encode()).hexdigest() for token in tokens)
    with production(opa_image, PAYER_POLICY_MTLS="1", PAYER_POLICY_SERVICE_TOKEN_SHA256=hashes) as opa:
        for token in tokens:
            with opa.client(token, client_cert=str(opa.client_cert)) as policy:
                assert policy.decide(REQUEST)
        with opa.client(client_cert=str(opa.client_cert)) as policy, pytest.raises(PolicyRefused):
            policy.decide(REQUEST)  # a certificate is no token
        for certificate in (None, str(opa.stranger_cert)):
            with (
                opa.client(tokens[1], client_cert=certificate, attempts=1) as policy,
                pytest.raises(PolicyUnreachable),
            ):
                policy.decide(REQUEST)


# Privacy


@pytest.fixture(scope="module")
def searched(opa: Production) -> tuple[Canaries, list[Channel]]:
    canaries = Canaries()
    return canaries, everywhere(opa, canaries)


def test_nothing_tells_of_a_request(searched: tuple[Canaries, list[Channel]]) -> None:
    canaries, channels = searched
    assert len(canaries.values) + len(canaries.names) == len({*canaries.values, *canaries.names}) == 98
    assert {channel.name: channel.leaks(canaries) for channel in channels} == {channel.name: [] for channel in channels}
    log, *others = channels
    assert len(decision_log(log.text)) > 50
    assert all(other.text for other in others)


def test_the_decision_log_holds_what_is_listed(searched: tuple[Canaries, list[Channel]], opa: Production) -> None:
    entries = decision_log(searched[1][0].text)
    own = {"level", "msg", "time", "type"}  # of OPA's logger
    listed = {"decision_id", "labels", "metrics", "path", "result", "timestamp"}
    assert {frozenset(set(entry) - {"erased", "masked"}) for entry in entries} == {frozenset(own | listed)}
    assert all(entry["metrics"]["timer_server_handler_ns"] > 0 for entry in entries)
    outcomes = {entry["result"].get("outcome") for entry in entries if entry["path"] == "payer/decision"}
    assert outcomes == {"approved", "needs_information", "no_policy_in_force", "invalid_request"}
    with opa.client() as policy:
        decision = policy.decide(REQUEST)
    entries = decision_log(opa.project.logs())
    assert [entry["result"] for entry in entries if entry["decision_id"] == decision.provenance.decision_id] == [
        {"outcome": "needs_information"}
    ]


def test_the_canaries_are_found_where_nothing_masks_them(engine: docker.DockerClient, opa_image: str) -> None:
    canaries = Canaries()
    with serving(engine, opa_image, 0, "--set=decision_logs.console=true") as container:
        ask(wait_until_healthy(container), canaries)
        found = Channel("", container.logs().decode()).leaks(canaries)
    assert len(found) > 60


def test_the_mask_holds_without_the_authorization(engine: docker.DockerClient, opa_image: str, tmp_path: Path) -> None:
    """A body without `input` is logged where no mask reaches: the entry is dropped."""
    secret = Canaries().value()
    mask = (ROOT / "deploy" / "opa" / "mask.rego").read_text()
    with serving(engine, opa_image, 0, "--set=decision_logs.console=true") as container:
        url = wait_until_healthy(container)
        requests.put(f"{url}/v1/policies/mask", data=mask.encode(), timeout=10).raise_for_status()
        requests.post(f"{url}{DECISION}", json={"request_id": secret}, timeout=10).raise_for_status()
        requests.post(f"{url}{DECISION}", json={"input": {"request_id": secret}}, timeout=10).raise_for_status()
        log = container.logs().decode()
    assert secret not in log
    assert [entry["result"] for entry in decision_log(log)] == [{"outcome": "invalid_request"}]


def test_a_signed_bundle_in_production_logs_its_revision(
    engine: docker.DockerClient, opa_image: str, key: Path, tmp_path: Path
) -> None:
    bundle(ROOT / "policy", tmp_path / "bundle.tar.gz", "7", key)
    options = ("--authorization=basic", "--set=decision_logs.console=true", "--bundle", "/opa-rego")
    with polling(engine, opa_image, key, tmp_path / "served", *options, settings=GUARDED) as opa:
        ready = f"{opa.url}/health/ready"
        with PolicyClient(opa.url, token="token") as policy:
            assert once_up(ready).status_code == 500  # OPA runs, its bundle is not there
            opa.serve(tmp_path / "bundle.tar.gz")
            wait_for("7", policy)
            assert requests.get(ready, timeout=10).status_code == 200
            policy.decide(REQUEST)
        with PolicyClient(opa.url) as policy, pytest.raises(PolicyRefused):
            policy.decide(REQUEST)
        entry = decision_log(opa.container.logs().decode())[-1]
    assert entry["bundles"] == {"payer-policy": {"revision": "7"}, "/opa-rego": {}}
    assert entry["result"] == {"outcome": "needs_information"}


@pytest.mark.parametrize("roots", [[""], ["payer", "system"], ["payer", "system/authz"], ["payer", "system/bundles"]])
def test_a_bundle_that_reaches_for_the_guard_is_refused(
    roots: list[str], engine: docker.DockerClient, opa_image: str, key: Path, tmp_path: Path
) -> None:
    """Signed as it should be, with the policy's key, and there from the start or later. The last one would not replace
    the guard, but the record of who holds which roots."""
    bundle(ROOT / "policy", tmp_path / "good.tar.gz", "1", key)
    bad = usurper(tmp_path / "bad.tar.gz", roots, key)
    options = ("--authorization=basic", "--bundle", "/opa-rego")
    with (
        polling(engine, opa_image, key, tmp_path / "served", *options, settings=GUARDED) as opa,
        PolicyClient(opa.url, token="token") as policy,
    ):
        for revision in (None, "1"):
            if revision:
                opa.serve(tmp_path / "good.tar.gz")
                wait_for(revision, policy)
            refused = refusals(opa)
            opa.serve(bad)
            eventually(lambda refused=refused: refusals(opa) > refused)  # type: ignore[misc]
            assert requests.get(f"{opa.url}/v1/policies", timeout=10).status_code == 401
            assert revision_of(policy) == revision


def refusals(opa: Polling) -> int:
    return opa.container.logs().count(b"overlapping roots")


def test_a_guard_loaded_as_files_is_replaced(
    engine: docker.DockerClient, opa_image: str, key: Path, tmp_path: Path
) -> None:
    """Why it is loaded as a bundle: files belong to nobody, and a bundle takes the place of what is under its roots."""
    bad = usurper(tmp_path / "bad.tar.gz", [""], key)
    with polling(
        engine, opa_image, key, tmp_path / "served", "--authorization=basic", "/opa-rego", settings=GUARDED
    ) as opa:
        assert once_up(f"{opa.url}/v1/policies").status_code == 401
        opa.serve(bad)
        eventually(lambda: requests.get(f"{opa.url}/v1/policies", timeout=10).status_code == 200)


def once_up(url: str) -> requests.Response:
    """The first answer, be it an error."""
    with requests.Session() as session:
        retries = requests.adapters.Retry(total=20, backoff_factor=0.1, backoff_max=1)
        session.mount("http://", requests.adapters.HTTPAdapter(max_retries=retries))
        return session.get(url, timeout=10)


# The container


def test_runs_with_no_privilege_and_one_port(opa: Production, engine: docker.DockerClient) -> None:
    container = opa.project.container(engine)
    host = container["HostConfig"]
    assert container["Config"]["User"] == "1000:1000"
    assert host["ReadonlyRootfs"] is True
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] > 0
    assert host["PidsLimit"] > 0
    assert list(container["NetworkSettings"]["Ports"]) == ["8181/tcp"]
    mounts = {mount["Destination"]: mount["RW"] for mount in container["Mounts"]}
    assert mounts == {"/policy": False, "/opa-rego": False, "/production.yaml": False, "/tls": False}
    # The tokens themselves are nowhere in it.
    assert not any(token in json.dumps(container) for token in opa.tokens.values())


@pytest.mark.parametrize(("profile", "services"), [(None, ["opa"]), ("production", ["opa-production"])])
def test_one_profile_starts_without_the_other(profile: str | None, services: list[str], opa_image: str) -> None:
    project = Project(opa_image, COMPOSE_FILE, profile=profile)
    assert project.run("config", "--services").stdout.split() == services


def test_does_not_start_without_certificates(opa_image: str, tmp_path: Path) -> None:
    for folder in (tmp_path / "nowhere", tmp_path):
        project = Project(opa_image, COMPOSE_FILE, profile="production", PAYER_POLICY_TLS=str(folder))
        try:
            assert project.run("up", "--wait").returncode != 0
        finally:
            project.down()
