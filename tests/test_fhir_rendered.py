"""The Questionnaire in a browser: lforms fills it in from a record, a person answers, and the answers decide."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from payer_policy import EmbeddedPolicy, Outcome
from payer_policy.fhir import Records, questionnaire, read_bundle
from playwright.sync_api import sync_playwright

from tests import ROOT
from tests.stage.opa import fail

Json = dict[str, Any]

LFORMS = ROOT / ".tools" / "lforms"
PAGE = f"""<!doctype html><meta charset="utf-8">
<link rel="stylesheet" href="{LFORMS}/webcomponent/styles.css"><div id="form"></div>
<script src="{LFORMS}/webcomponent/assets/lib/zone.min.js"></script>
<script src="{LFORMS}/webcomponent/lhc-forms.js"></script>
<script src="{LFORMS}/fhir/R4/lformsFHIR.min.js"></script>"""

# A server of FHIR that holds the record, as lforms asks one.
SHOW = """([form, record]) => {
  const held = record.entry.map(entry => entry.resource);
  const client = {
    getFhirVersion: () => Promise.resolve('4.0.1'),
    request: asked => {
      const kind = (asked.url || asked).split('?')[0];
      const found = held.filter(each => each.resourceType === kind).map(each => ({resource: each}));
      return Promise.resolve({resourceType: 'Bundle', type: 'searchset', entry: found});
    },
  };
  LForms.Util.setFHIRContext(client, {patient: held.find(each => each.resourceType === 'Patient')});
  return LForms.Util.addFormToPage(form, 'form', {fhirVersion: 'R4', prepopulate: true});
}"""
READ = "() => LForms.Util.getFormFHIRData('QuestionnaireResponse', 'R4')"


@pytest.mark.parametrize("relapse", ["confirmed", "refuted"])
def test_a_form_is_filled_in_answered_and_read_back(relapse: str, tmp_path: Path) -> None:
    if not (LFORMS / ".complete").exists():
        fail("lforms is not here. Run `tools/setup lforms`.")
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        fail("A browser is needed. Run `tools/setup browser`.")
    record = read_bundle((ROOT / "examples" / "fhir" / "relapsed-b-all.json").read_bytes())
    record["entry"][6]["resource"]["verificationStatus"]["coding"][0]["code"] = relapse
    (tmp_path / "page.html").write_text(PAGE, encoding="utf-8")
    with EmbeddedPolicy() as policy, sync_playwright() as playwright:
        form = questionnaire(policy, "CC-0126", base="https://payer.example/fhir")
        arguments = ["--no-sandbox", "--allow-file-access-from-files"]  # of a container's root, with no page but this
        browser = playwright.chromium.launch(executable_path=chromium, args=arguments)
        page = browser.new_page(viewport={"width": 1100, "height": 900})
        page.goto(f"file://{tmp_path}/page.html")
        page.wait_for_function("window.LForms && LForms.Util && LForms.FHIR", timeout=120_000)
        page.evaluate(SHOW, [form, record])
        shown = page.locator("#form")
        shown.get_by_text("Are the malignant cells CD19-positive?").wait_for(timeout=60_000)
        # Asleep: infant ALL is known not to be.
        assert shown.get_by_text("Is KMT2A (11q23) rearranged?").count() == 0
        shown.get_by_text("Yes", exact=True).first.click()  # of CD19, the first that is to be answered so
        page.wait_for_function(f"JSON.stringify(({READ})()).includes('cd19_positive')", timeout=60_000)
        response: Json = page.evaluate(READ)
        page.screenshot(path=ROOT / "build" / f"questionnaire-{relapse}.png", full_page=True)
        browser.close()
        response |= {"subject": {"reference": "Patient/child"}, "authored": "2025-05-30"}
        known = Records(policy).facts_from_response(response, date_of_service="2025-06-01").request
        facts = {"disease": "all", "lineage": "b_cell_precursor", "infant": False, "cd19_positive": True}
        if relapse == "confirmed":
            facts["disease_status"] = "relapsed"
        assert json.loads(json.dumps(known.to_dict()["facts"])) == facts
        outcome = Outcome.APPROVED if relapse == "confirmed" else Outcome.NEEDS_INFORMATION
        assert policy.decide(known).outcome is outcome
