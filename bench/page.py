"""The page of `make page`: its bytes, and a decision in Chromium, without and with drawing, beside the same in Node."""

import base64
import json
import shutil
import subprocess

from playwright.sync_api import Page, sync_playwright

from bench import REQUEST, WASM
from bench.peers import ROUNDS, Engine
from bench.report import Report, in_turns, seconds
from tests import ROOT

FILE = ROOT / "build" / "criteria.html"

# The page's own policy.js, in another tab, since what the page has of it cannot be called from without.
_LOAD = """async wasm => {
  const bytes = Uint8Array.from(atob(wasm), char => char.charCodeAt(0));
  const packed = new Response(new Blob([bytes]).stream().pipeThrough(new CompressionStream("gzip")));
  window.evaluate = await policy.load(await packed.arrayBuffer());
}"""
_DECIDE = "text => evaluate('decision', text)"
_DRAW = """text => {
  document.getElementById("request").value = text;
  document.getElementById("decide").click();
}"""
_P50 = """([text, rounds]) => {
  const times = [];
  for (let n = 0; n < rounds; n += 1) {
    const start = performance.now();
    (CALL)(text);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[rounds >> 1] / 1000;
}"""


def rows(report: Report) -> None:
    bundled = ["npx", "esbuild", "policy.js", "--bundle", "--format=iife", "--global-name=policy", "--target=es2022"]
    script = subprocess.run(bundled, cwd=ROOT / "page", capture_output=True, text=True, check=True).stdout
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium") or shutil.which("google-chrome"))
        tab, alone = browser.new_page(), browser.new_page()

        def opened() -> None:
            tab.goto(FILE.as_uri())
            tab.wait_for_selector(".outcome")

        opens = in_turns({"": lambda: seconds(opened)}, 5)[""]
        alone.evaluate(script)
        alone.evaluate(_LOAD, base64.b64encode(WASM.read_bytes()).decode())
        node = Engine("policy")
        measured = in_turns(
            {"node": node.seconds, "decided": lambda: p50(alone, _DECIDE), "drawn": lambda: p50(tab, _DRAW)}, rounds=9
        )
        node.close()
        browser.close()
    report.add("a decision in Chromium, p50", "in Node", measured["decided"] / measured["node"], None)
    report.add("a decision in Chromium, decided and drawn, p50", "in Node", measured["drawn"] / measured["node"], None)
    report.note(
        f"The page: {FILE.stat().st_size:,} bytes, {opens:.2f} s from opening it to its first decision; one takes"
        f" {measured['node'] * 1000:.2f} ms in Node, {measured['decided'] * 1000:.2f} in Chromium, drawn"
        f" {measured['drawn'] * 1000:.1f}."
    )


def p50(tab: Page, call: str) -> float:
    return float(tab.evaluate(_P50.replace("CALL", call), [json.dumps(REQUEST), ROUNDS]))
