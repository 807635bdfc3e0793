"""A revision that moves the MRD threshold, through everything: revise, diff, impact, signed bundle, live update under
load, replay of the old decisions. It is a fixture, made here: no such version of the document exists."""

import json
import random
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docker
import pytest
from payer_policy import Decision, EmbeddedPolicy, PolicyClient, PolicyError
from payer_policy.command import main
from payer_policy.workshop.replay import replay

from tests import ROOT
from tests.stage.bundles import bundle, polling, revision_of, rewritten, wait_for
from tests.stage.versions import newest
from tools.publish import compiled

OLD, NEW = "2025-04-01", "2026-04-01"
REQUESTS = 10_000


@pytest.fixture(scope="module")
def revised(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy of this checkout and a revision whose threshold is 0.01 % rather than 0.1 %."""
    folder = newest(tmp_path_factory.mktemp("revised") / "policy")
    assert main(["revise", "CC-0126", "--effective", NEW, "--policy", str(folder)]) == 0
    current = folder / "cc0126.rego"
    text = current.read_text(encoding="utf-8")
    assert text.count("0.1 % or more") == 2
    assert text.count('"mrd_percent", 0.1)') == 1
    text = text.replace("0.1 % or more", "0.01 % or more")
    current.write_text(text.replace('"mrd_percent", 0.1)', '"mrd_percent", 0.01)'), encoding="utf-8")
    return folder


def requests() -> Iterator[dict[str, Any]]:
    draw = random.Random(6)
    diagnosis = {"disease": "all", "lineage": "b_cell_precursor", "cd19_positive": True}
    elsewhere = {"disease_status": "remission", "treatment_phase": "induction", "combined_with": ["other"]}
    for number in range(REQUESTS):
        known = {
            "complete_response": draw.choice([0, 1, 2]),
            "mrd_percent": draw.choice([0, 0.005, 0.01, 0.05, 0.1, 1]),
        }
        facts = {**diagnosis, **elsewhere, **known}
        yield {"document": "CC-0126", "date_of_service": "2026-06-01", "request_id": f"r-{number}", "facts": facts}


def test_a_revision_from_the_editor_to_the_auditor(
    revised: Path,
    key: Path,
    engine: docker.DockerClient,
    opa_image: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    asked = list(requests())
    file = tmp_path / "requests.jsonl"
    file.write_text("".join(json.dumps(request) + "\n" for request in asked), encoding="utf-8")
    both = compiled(revised, tmp_path / "both.tar.gz")

    # What changed, in words.
    assert main(["diff", "CC-0126", OLD, NEW, "--bundle", str(both), "--json"]) == 1
    changes = {(change["kind"], change["subject"]): change for change in json.loads(capsys.readouterr().out)}
    assert set(changes) == {("threshold", "II.C"), ("threshold", "II.C.mrd_percent")}
    assert changes["threshold", "II.C.mrd_percent"]["new"] == "MRD is 0.01 % or more."

    # What it does to 10,000 requests.
    turned = [
        line
        for line, request in enumerate(asked, 1)
        if 0.01 <= request["facts"]["mrd_percent"] < 0.1 and request["facts"]["complete_response"]
    ]
    page = tmp_path / "impact.html"
    assert main(["impact", "CC-0126", OLD, NEW, str(file), "--bundle", str(both), "--json", "--html", str(page)]) == 1
    impact = json.loads(capsys.readouterr().out)
    assert impact["requests"] == REQUESTS
    assert [change["line"] for change in impact["turned"]] == turned
    assert {(change["old"], change["new"]) for change in impact["turned"]} == {("not_approved", "approved")}
    assert impact["clauses"] == [
        {"clause": "II.C.mrd_percent", "old": "not_met", "new": "met", "requests": len(turned)}
    ]
    assert f"<strong>{len(turned):,} of 10,000 requests</strong>" in page.read_text(encoding="utf-8")

    # Live, without a restart, under load: no call fails, and each decision says which revision made it.
    bundle(newest(tmp_path / "old"), tmp_path / "old.tar.gz", "1", key)
    bundle(revised, tmp_path / "new.tar.gz", "2", key)
    stored: list[dict[str, Any]] = []
    with polling(engine, opa_image, key, tmp_path / "served") as opa, PolicyClient(opa.url) as client:
        opa.serve(tmp_path / "old.tar.gz")
        wait_for("1", client)
        stop = threading.Event()
        made: list[tuple[str, str, str]] = []
        failed: list[PolicyError] = []

        def load() -> None:
            while not stop.is_set():
                try:
                    decision = client.decide(asked[turned[0] - 1])
                except PolicyError as error:
                    failed.append(error)
                    continue
                assert decision.policy
                made.append((decision.provenance.revisions["payer-policy"], decision.policy.version, decision.outcome))

        for line, answer in enumerate(client.decide_many(asked[:500]), 1):
            assert isinstance(answer, Decision)
            stored.append({"line": line, "request": asked[line - 1], "decision": answer.to_dict()})
        threads = [threading.Thread(target=load) for _ in range(3)]
        for thread in threads:
            thread.start()
        opa.serve(tmp_path / "new.tar.gz")
        wait_for("2", client)
        time.sleep(0.5)
        stop.set()
        for thread in threads:
            thread.join()
        assert failed == []
        assert set(made) == {("1", OLD, "not_approved"), ("2", NEW, "approved")}

        # Last year's decisions, decided again under the version they name.
        replayed = list(replay(client, stored))
        assert len(replayed) == 500
        assert all(result.same and result.superseded for result in replayed)


def test_a_bundle_is_taken_only_as_it_was_signed(
    key: Path, engine: docker.DockerClient, opa_image: str, tmp_path: Path
) -> None:
    good = tmp_path / "good.tar.gz"
    bundle(newest(tmp_path / "policy"), good, "1", key)
    unsigned = rewritten(good, tmp_path / "unsigned.tar.gz", "/.signatures.json", None)
    tampered = rewritten(
        good, tmp_path / "tampered.tar.gz", "/cc0126.rego", (b'"mrd_percent", 0.1)', b'"mrd_percent", 0.0)')
    )
    with polling(engine, opa_image, key, tmp_path / "served") as opa, PolicyClient(opa.url, attempts=2) as client:
        for refused in (unsigned, tampered):
            opa.serve(refused)
            time.sleep(3)
            assert revision_of(client) is None
        opa.serve(good)
        wait_for("1", client)
        for refused in (unsigned, tampered):
            opa.serve(refused)
            time.sleep(3)
            assert revision_of(client) == "1"  # what was active stays so


def test_a_bundle_is_the_same_bytes_each_time(key: Path, tmp_path: Path) -> None:
    for name in ("one", "two"):
        bundle(ROOT / "policy", tmp_path / name, "1", key)
        time.sleep(1.1)  # gzip and tar keep seconds
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()
    with tarfile.open(tmp_path / "one") as archive:
        manifest = archive.extractfile("/.manifest")
        assert manifest
        assert json.loads(manifest.read()) == {"revision": "1", "roots": ["payer"], "rego_version": 1}


def test_both_versions_stand_side_by_side(revised: Path, tmp_path: Path) -> None:
    facts = {"disease": "all", "mrd_percent": 0.05}
    with EmbeddedPolicy(compiled(revised, tmp_path / "both.tar.gz")) as policy:
        for day, version, until in [("2026-03-31", OLD, "2026-03-31"), ("2026-04-01", NEW, None)]:
            decision = policy.decide({"document": "CC-0126", "date_of_service": day, "facts": facts})
            assert decision.policy
            assert decision.policy.version == version
            assert (str(decision.policy.effective_to) if decision.policy.effective_to else None) == until
