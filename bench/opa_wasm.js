// node opa_wasm.js POLICY REQUEST, with @open-policy-agent/opa-wasm in NODE_PATH: seconds of a decision, p50.
const fs = require("fs");
const { loadPolicy } = require("@open-policy-agent/opa-wasm");

(async () => {
  const policy = await loadPolicy(fs.readFileSync(process.argv[2]), { initial: 512 });
  const request = JSON.parse(process.argv[3]);
  const times = [];
  for (let round = 0; round < 1000; round++) {
    const start = process.hrtime.bigint();
    policy.evaluate(request, "payer/decision");
    times.push(Number(process.hrtime.bigint() - start));
  }
  console.log(times.sort((a, b) => a - b)[500] / 1e9);
})();
