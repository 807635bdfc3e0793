"""A real Prometheus beside the OPA of production, as deploy/prometheus/compose.yaml has it, and Grafana's dashboard."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import yaml
from payer_policy import PolicyClient, PolicyError

from tests import ROOT
from tests.stage.bundles import bundle, polling, wait_for
from tests.stage.opa import eventually, fail, wait_for_refusals
from tests.stage.production import Production, production

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
VARIABLES = {"$__rate_interval": "5m", "$instance": ".+"}
ALERTS: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"][0][
    "rules"
]
REQUEST = json.loads((ROOT / "bench" / "inputs" / "approved.json").read_text(encoding="utf-8"))


@dataclass
class Watched:
    opa: Production
    url: str
    """Of Prometheus."""

    def ask(self, path: str, **parameters: str) -> Any:  # noqa: ANN401
        answer = requests.get(f"{self.url}/api/v1/{path}", params=parameters, timeout=10).json()
        assert answer["status"] == "success", answer
        return answer["data"]

    def wait_for_alerts(self, *names: str) -> None:
        """Until these fire, and no others."""

        def firing() -> set[str]:
            return {
                alert["labels"]["alertname"] for alert in self.ask("alerts")["alerts"] if alert["state"] == "firing"
            }

        eventually(lambda: firing() == set(names), 60)

    def promtool(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.opa.project.run("exec", "-T", "prometheus", "promtool", *arguments)


@pytest.fixture(scope="module")
def watched(opa_image: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Watched]:
    """The files as they are, but looking every second, and with alerts that fire after two."""
    image = os.environ.get("PROMETHEUS_IMAGE")
    if not image:
        fail("PROMETHEUS_IMAGE is not set. Run `make test`, or `export PROMETHEUS_IMAGE=$(tools/setup prometheus)`.")
    folder = tmp_path_factory.mktemp("prometheus")
    hasty = folder / "hasty"
    shutil.copytree(PROMETHEUS, hasty)
    for name, pattern, replacement in (
        ("prometheus.yml", r"_interval: 15s", "_interval: 1s"),
        ("alerts.yml", r"for: \d+m", "for: 2s"),
    ):
        text, changes = re.subn(pattern, replacement, (hasty / name).read_text(encoding="utf-8"))
        assert changes >= 2
        (hasty / name).write_text(text, encoding="utf-8")
    volumes = [f"{hasty}:/etc/prometheus:ro", f"{PROMETHEUS}:/files:ro"]
    overlay = folder / "hasty.yaml"
    overlay.write_text(json.dumps({"services": {"prometheus": {"volumes": volumes}}}), encoding="utf-8")
    overlay.chmod(0o644)
    with production(
        opa_image,
        PROMETHEUS / "compose.yaml",
        overlay,
        services=["opa-production", "prometheus"],
        PROMETHEUS_IMAGE=image,
        PROMETHEUS_PORT="0",
    ) as opa:
        port = opa.project.run("port", "prometheus", "9090").stdout.rpartition(":")[2].strip()
        with opa.client() as client:
            assert client.decide(REQUEST).outcome.value == "approved"
        yield Watched(opa, f"http://127.0.0.1:{port}")


def panels() -> list[str]:
    """What they ask for."""
    found = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for variable, value in VARIABLES.items():
        found = [expression.replace(variable, value) for expression in found]
    return found


def names_of(watched: Watched, expression: str) -> set[str]:
    """Every metric in it."""
    names = set()
    left: list[Any] = [watched.ask("parse_query", query=expression)]
    while left:
        node = left.pop()
        if isinstance(node, dict):
            if node.get("type") in ("vectorSelector", "matrixSelector"):
                names.add(node["name"])
            left += node.values()
        elif isinstance(node, list):
            left += node
    return names


def test_promtool_finds_the_files_sound_and_each_case_right(watched: Watched) -> None:
    for arguments in (("check", "config", "/files/prometheus.yml"), ("test", "rules", "/files/alerts_test.yml")):
        done = watched.promtool(*arguments)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "SUCCESS" in done.stdout


def test_prometheus_reads_opa_and_runs_every_rule(watched: Watched) -> None:
    query = 'sum(http_request_duration_seconds_count{handler="v1/data", code="200"}) >= 1'
    eventually(lambda: bool(watched.ask("query", query=query)["result"]), 60)
    eventually(lambda: {rule["health"] for rule in rules(watched)} == {"ok"}, 60)
    [target] = watched.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    assert [rule["name"] for rule in rules(watched)] == [rule["alert"] for rule in ALERTS]
    watched.wait_for_alerts()


def rules(watched: Watched) -> list[dict[str, Any]]:
    return [rule for group in watched.ask("rules")["groups"] for rule in group["rules"]]


def test_only_an_operator_sees_the_metrics(watched: Watched) -> None:
    """Prometheus has its token from a secret; without one, even a container of the project is refused."""
    asked = 'http.send({"method":"GET","url":"http://127.0.0.1:8282/metrics"}).status_code'
    done = watched.opa.project.run("exec", "-T", "opa-production", "/opa", "eval", "--format=raw", asked)
    assert done.stdout.strip() == "401"


def test_every_panel_has_an_answer(watched: Watched) -> None:
    # Those of bundles have none here, where OPA serves a folder.
    asked = [each for each in panels() if not any("bundle" in name for name in names_of(watched, each))]
    assert len(asked) > 4
    with watched.opa.client() as client:

        def answered() -> bool:
            client.decide(REQUEST)
            return all(watched.ask("query", query=expression)["result"] for expression in asked)

        eventually(answered, 60)


def metrics(url: str, wanted: str) -> str:
    """What OPA shows, once `wanted` is among it."""
    seen = [""]

    def shown() -> bool:
        with suppress(requests.RequestException):
            seen.append(requests.get(f"{url}/metrics", timeout=5).text)
        return wanted in seen[-1]

    eventually(shown)
    return seen[-1]


def test_every_metric_named_is_exposed(
    watched: Watched, engine: docker.DockerClient, opa_image: str, key: Path, tmp_path: Path
) -> None:
    asked = panels() + [rule["expr"] for rule in ALERTS]
    named = set().union(*(names_of(watched, expression) for expression in asked))
    assert len(named) > 9
    bundle(ROOT / "policy", tmp_path / "good.tar.gz", "1", key)
    (tmp_path / "bad.tar.gz").write_bytes(b"no bundle")
    with polling(engine, opa_image, key, tmp_path / "served") as opa, PolicyClient(opa.url) as client:
        before = metrics(opa.url, 'plugin_status_gauge{name="bundle"')
        opa.serve(tmp_path / "good.tar.gz")
        wait_for("1", client)
        opa.serve(tmp_path / "bad.tar.gz")
        wait_for_refusals(opa.url, 1)
        text = metrics(opa.url, "bundle_failed_load_counter")
    exposed = set(re.findall(r"^([a-z_0-9]+)[{ ]", text, re.MULTILINE))
    assert named - {"up", "payer_policy_published"} <= exposed  # those are Prometheus' own
    assert 'handler="v1/data"' in text
    assert 'active_revision="1"' in text
    assert 'last_success_bundle_activation{active_revision="",name="payer-policy"} -' in before  # below 0
    assert 'plugin_status_gauge{name="bundle",status="NOT_READY"} 1' in before
    assert 'plugin_status_gauge{name="bundle",status="OK"} 1' in text
    assert "NOT_READY" not in text


def test_a_bundle_names_the_rule_that_publishes_it(
    key: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """As published.yml wants it."""
    bundle(ROOT / "policy", tmp_path / "bundle.tar.gz", "0.1.0+abc", key)
    file, _, rule = capfd.readouterr().out.removeprefix("for ").partition(": ")
    [published] = yaml.safe_load((ROOT / file).read_text(encoding="utf-8"))["groups"]
    for line in (yaml.safe_load(rule), *published["rules"]):
        revision = line["labels"]["active_revision"]
        assert line == {
            "record": "payer_policy_published",
            "expr": "vector(1)",
            "labels": {"active_revision": revision},
        }
    assert yaml.safe_load(rule)["labels"]["active_revision"] == "0.1.0+abc"


def test_a_wrong_expression_is_found(watched: Watched) -> None:
    with pytest.raises(AssertionError, match="unclosed left parenthesis"):
        names_of(watched, "sum(up")


def test_each_alert_has_a_case_and_each_panel_a_place() -> None:
    alerts = [rule["alert"] for rule in ALERTS]
    tests: list[dict[str, Any]] = yaml.safe_load((PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    cases = [case for test in tests for case in test["alert_rule_test"]]
    assert [case["alertname"] for case in cases if case.get("exp_alerts")] == alerts
    assert [case["alertname"] for case in cases if not case.get("exp_alerts")] == alerts  # the calm one
    for alert in alerts:
        assert f"`{alert}`" in (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
    ids = [panel["id"] for panel in DASHBOARD["panels"]]
    assert len(ids) == len(set(ids))
    places = [
        (panel["gridPos"]["x"] + column, panel["gridPos"]["y"] + row)
        for panel in DASHBOARD["panels"]
        for column in range(panel["gridPos"]["w"])
        for row in range(panel["gridPos"]["h"])
    ]
    assert len(places) == len(set(places)), "panels overlap"
    assert max(column for column, _ in places) < 24


def test_compose_takes_the_file(watched: Watched) -> None:
    files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(PROMETHEUS / "compose.yaml"), "--profile", "production"]
    environment = {**os.environ, "PAYER_POLICY_OPERATOR_TOKEN": "x", "PAYER_POLICY_TLS": str(ROOT)}
    environment.pop("PROMETHEUS_IMAGE", None)
    command = ["docker", "compose", *files, "config", "--format", "json"]
    done = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"opa-production", "prometheus", "grafana"}
    for name in ("prometheus", "grafana"):
        assert [port["host_ip"] for port in services[name]["ports"]] == ["127.0.0.1"]
        for volume in services[name]["volumes"]:
            assert Path(volume["source"]).is_dir()
    running = watched.opa.project.run("exec", "-T", "prometheus", "/bin/prometheus", "--version").stdout
    assert services["prometheus"]["image"] == f"prom/prometheus:v{running.split()[2]}"


# The last, since OPA has another port afterwards.
def test_an_alert_fires_while_opa_is_down_and_ends_by_itself(watched: Watched) -> None:
    watched.wait_for_alerts()
    with watched.opa.client(attempts=1) as client:
        assert watched.opa.project.run("kill", "opa-production").returncode == 0
        watched.wait_for_alerts("OpaNoDecisions", "OpaReplicaDown")
        with pytest.raises(PolicyError):
            client.decide(REQUEST)
        assert watched.opa.project.run("start", "opa-production").returncode == 0
    watched.wait_for_alerts()
