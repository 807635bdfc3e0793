"""The files for Prometheus and Grafana: read by the parsers of Prometheus, naming only metrics that OPA has."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import docker
import pytest
import requests
import yaml
from bundles import bundle, polling, wait_for
from conftest import ROOT
from payer_policy import PolicyClient
from test_faults import wait_for_refusals

PROMETHEUS = ROOT / "deploy" / "prometheus"
DASHBOARD = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text(encoding="utf-8"))
VARIABLES = {"$__rate_interval": "5m", "$instance": ".+"}


def names_of(*expressions: str) -> set[str]:
    """Every metric named in the rules and in `expressions`; fails on any that is no PromQL, and on a bad file."""
    files = [PROMETHEUS / "prometheus.yml", PROMETHEUS / "alerts.yml"]
    checked = subprocess.run(
        [ROOT / ".tools/bin/check-prometheus", *files], input=json.dumps(expressions), capture_output=True, text=True
    )
    assert checked.returncode == 0, checked.stderr
    return set(json.loads(checked.stdout))


def panel_expressions() -> list[str]:
    expressions = [target["expr"] for panel in DASHBOARD["panels"] for target in panel["targets"]]
    for variable, value in VARIABLES.items():
        expressions = [expression.replace(variable, value) for expression in expressions]
    return expressions


def test_every_metric_named_is_exposed(engine: docker.DockerClient, opa_image: str, key: Path, tmp_path: Path) -> None:
    named = names_of(*panel_expressions())
    assert len(named) > 9
    bundle(ROOT / "policy", tmp_path / "good.tar.gz", "1", key)
    (tmp_path / "bad.tar.gz").write_bytes(b"no bundle")
    with polling(engine, opa_image, key, tmp_path / "served") as opa, PolicyClient(opa.url) as client:
        opa.serve(tmp_path / "good.tar.gz")
        wait_for("1", client)
        opa.serve(tmp_path / "bad.tar.gz")
        wait_for_refusals(opa.url, 1)
        text = requests.get(f"{opa.url}/metrics", timeout=5).text
    exposed = set(re.findall(r"^([a-z_0-9]+)[{ ]", text, re.MULTILINE))
    assert named - {"up"} <= exposed  # `up` is Prometheus' own
    assert 'handler="v1/data"' in text
    assert 'active_revision="1"' in text


def test_a_wrong_expression_is_found() -> None:
    with pytest.raises(AssertionError, match="unclosed left parenthesis"):
        names_of("sum(up")


def test_each_alert_has_a_case_and_each_panel_a_place() -> None:
    [group] = yaml.safe_load((PROMETHEUS / "alerts.yml").read_text(encoding="utf-8"))["groups"]
    alerts = [rule["alert"] for rule in group["rules"]]
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


def test_compose_takes_the_file() -> None:
    files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(PROMETHEUS / "compose.yaml")]
    done = subprocess.run(["docker", "compose", *files, "config", "--format", "json"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    services = json.loads(done.stdout)["services"]
    assert set(services) == {"opa", "prometheus", "grafana"}
    for service in services.values():
        assert [port["host_ip"] for port in service["ports"]] == ["127.0.0.1"]
        for volume in service["volumes"]:
            assert Path(volume["source"]).is_dir()
