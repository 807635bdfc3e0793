"""What each file that is shipped is made of and how it was made, beside it; of one commit and key the same bytes.

`FILE.cdx.json` is its bill of materials (CycloneDX): for a bundle the files of the policy; for a wheel and its source
the compiled policy, and the packages that they stand on, in the versions that are locked. `FILE.intoto.jsonl` is its
provenance (SLSA v1 in an in-toto statement), signed as DSSE with the key that signs bundles.

    python -m tools.attest made KEY FILE…
    python -m tools.attest verify PUBLIC_KEY FILE…
"""

import argparse
import base64
import hashlib
import json
import os
import re
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Iterator
from datetime import datetime
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output import make_outputter
from cyclonedx.schema import OutputFormat, SchemaVersion
from packageurl import PackageURL
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[1]
PAYLOAD = "application/vnd.in-toto+json"
# What decides the bytes, beside the commit: compilers and packages.
LOCKS = (ROOT / "tools" / "go.sum", ROOT / "tools" / "requirements.txt")


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()


def hashed(content: bytes) -> list[HashType]:
    return [HashType(alg=HashAlgorithm.SHA_256, content=sha256(content))]


def named(file: Path) -> dict[str, Any]:
    """With its digest, as in-toto has it."""
    return {"name": file.name, "digest": {"sha256": sha256(file.read_bytes())}}


def held(file: Path) -> Iterator[tuple[str, bytes]]:
    """The files in an archive."""
    if file.suffix == ".whl":
        with zipfile.ZipFile(file) as wheel:
            yield from ((name, wheel.read(name)) for name in wheel.namelist())
    else:
        with tarfile.open(file) as archive:
            for member in archive:
                if content := archive.extractfile(member):
                    yield member.name.lstrip("/"), content.read()


def opa() -> Component:
    """What compiled the policy, in the version that is pinned."""
    [version] = re.findall(r"open-policy-agent/opa (v\S+)", (ROOT / "tools" / "go.mod").read_text(encoding="utf-8"))
    purl = PackageURL("golang", "github.com/open-policy-agent", "opa", version)
    return Component(type=ComponentType.APPLICATION, name="opa", version=version, purl=purl, bom_ref="opa")


def packages() -> list[Component]:
    """What the client stands on with its extras, on any platform, in the versions that are locked."""
    lock = (ROOT / "tools" / "requirements.txt").read_text(encoding="utf-8")
    locked = dict(re.findall(r"^(\S+)==(\S+)", lock, re.MULTILINE))
    found: dict[str, Component] = {}
    left = [Requirement("payer-policy-client[embedded,cli]")]
    while left:
        asked = left.pop()
        for need in map(Requirement, distribution(asked.name).requires or ()):
            name = canonicalize_name(need.name)
            extra = re.search(r"extra == ['\"](\w+)", str(need.marker))
            if name in locked and name not in found and (extra is None or extra[1] in asked.extras):
                purl = PackageURL("pypi", name=name, version=locked[name])
                found[name] = Component(name=name, version=locked[name], purl=purl, bom_ref=name)
                left.append(need)
    return list(found.values())


def materials(file: Path) -> Bom:
    content = file.read_bytes()
    files = dict(held(file))
    if ".manifest" in files:  # a bundle
        name, version = "payer-policy-bundle", json.loads(files[".manifest"])["revision"]
        purl, parts = None, sorted(name for name in files if name.endswith(".rego"))
        needs: list[Component] = []
    else:
        name = "payer-policy-client"
        [version] = re.findall(r"payer_policy_client-([\d.]+?)(?:\.tar|-py)", file.name)
        purl, parts = PackageURL("pypi", name=name, version=version), [n for n in files if n.endswith("policy.wasm")]
        needs = packages()
    made_of = [
        Component(type=ComponentType.FILE, name=part, bom_ref=part, hashes=hashed(files[part])) for part in parts
    ]
    bom = Bom(components=[*made_of, *needs], serial_number=uuid5(NAMESPACE_URL, sha256(content)))
    bom.metadata.timestamp = datetime.fromisoformat(git("show", "-s", "--format=%cI"))
    bom.metadata.tools.components.add(opa())
    root = Component(name=name, version=version, purl=purl, bom_ref=name, hashes=hashed(content))
    bom.metadata.component = root
    bom.register_dependency(root, [*made_of, *needs])
    return bom


def statement(file: Path) -> dict[str, Any]:
    changed = ", with changes that are not committed" if git("status", "--porcelain") else ""
    workflow = os.environ.get("GITHUB_WORKFLOW_REF")
    commit = {"name": f"source{changed}", "digest": {"gitCommit": git("rev-parse", "HEAD")}}
    build = {
        "buildType": "urn:payer-policy:make",
        "externalParameters": {"target": "bundle" if "bundle" in file.name else "wheel"},
        "resolvedDependencies": [commit, *map(named, LOCKS)],
    }
    builder = f"https://github.com/{workflow}" if workflow else "urn:payer-policy:by-hand"
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [named(file), named(beside(file, "cdx.json"))],
        "predicateType": "https://slsa.dev/provenance/v1",
        "predicate": {"buildDefinition": build, "runDetails": {"builder": {"id": builder}}},
    }


def beside(file: Path, ending: str) -> Path:
    return file.with_name(f"{file.name}.{ending}")


def to_sign(payload: bytes) -> bytes:
    """DSSE's encoding of type and payload."""
    return b"DSSEv1 %d %s %d %s" % (len(PAYLOAD), PAYLOAD.encode(), len(payload), payload)


def made(key: Path, file: Path) -> None:
    bom = make_outputter(materials(file), OutputFormat.JSON, SchemaVersion.V1_6).output_as_string(indent=1)
    beside(file, "cdx.json").write_text(bom + "\n", encoding="utf-8")
    payload = json.dumps(statement(file), sort_keys=True).encode()
    signing = ["openssl", "dgst", "-sha256", "-sign", str(key)]
    signature = subprocess.run(signing, input=to_sign(payload), check=True, capture_output=True).stdout
    envelope = {
        "payloadType": PAYLOAD,
        "payload": base64.b64encode(payload).decode(),
        "signatures": [{"sig": base64.b64encode(signature).decode()}],
    }
    beside(file, "intoto.jsonl").write_text(json.dumps(envelope) + "\n", encoding="utf-8")


def verify(key: Path, file: Path) -> None:
    """Says from what the file was made; ends with 1 when that is not signed by the key, or is of other bytes."""
    envelope = json.loads(beside(file, "intoto.jsonl").read_bytes())
    payload = base64.b64decode(envelope["payload"])
    signature = beside(file, "sig")
    signature.write_bytes(base64.b64decode(envelope["signatures"][0]["sig"]))
    try:
        verifying = ["openssl", "dgst", "-sha256", "-verify", str(key), "-signature", str(signature)]
        done = subprocess.run(verifying, input=to_sign(payload), capture_output=True)
    finally:
        signature.unlink()
    if done.returncode:
        sys.exit(f"{file.name}: its provenance is not signed by {key}")
    said = json.loads(payload)
    for subject in said["subject"]:
        if sha256((file.parent / subject["name"]).read_bytes()) != subject["digest"]["sha256"]:
            sys.exit(f"{subject['name']} is not what its provenance is of")
    predicate = said["predicate"]
    source = predicate["buildDefinition"]["resolvedDependencies"][0]
    builder = predicate["runDetails"]["builder"]["id"]
    print(f"{file.name}: {source['name']}, commit {source['digest']['gitCommit']}, by {builder}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("made", "verify"))
    parser.add_argument("key", type=Path)
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    for file in options.files:
        (made if options.what == "made" else verify)(options.key, file)


if __name__ == "__main__":
    main()
