// Runs the test vectors in WebAssembly: node run.mjs MODULE.wasm
//
// Reads every .json file of the folder TAGAI_VECTORS, or of tagai-core's own. Exits with 1 if a vector fails, if there is
// none, if a changed vector passes, or if the module imports anything: without imports it cannot reach a clock, a file, a
// socket or the system's randomness.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const own = fileURLToPath(new URL('../../crates/core/tests/vectors', import.meta.url));
const folder = process.env.TAGAI_VECTORS || own;

function fail(message) {
  console.error(`FAILED: ${message}`);
  process.exit(1);
}

const [path] = process.argv.slice(2);
if (path === undefined) fail('usage: node run.mjs MODULE.wasm');
const module = new WebAssembly.Module(readFileSync(path));
const imports = WebAssembly.Module.imports(module);
if (imports.length > 0) fail(`the module imports ${imports.map((i) => `${i.module}.${i.name}`).join(', ')}`);

// Checks one JSON text. A new instance each time: after a trap, an instance's state is not to be used again.
function check(text) {
  const { exports } = new WebAssembly.Instance(module, {});
  const octets = new TextEncoder().encode(text);
  const at = exports.input(octets.length) >>> 0;
  new Uint8Array(exports.memory.buffer, at, octets.length).set(octets); // input() may have moved the buffer
  let trap = null;
  let count = 0;
  try {
    count = exports.run() >>> 0;
  } catch (error) {
    if (!(error instanceof WebAssembly.RuntimeError)) throw error;
    trap = error.message;
  }
  const report = new Uint8Array(exports.memory.buffer, exports.output_ptr() >>> 0, exports.output_len() >>> 0);
  return { trap, count, report: new TextDecoder().decode(report) };
}

const passed = new Map();
let sample = null;
for (const file of readdirSync(folder).filter((name) => name.endsWith('.json')).sort()) {
  const text = readFileSync(join(folder, file), 'utf8');
  const { trap, count, report } = check(text);
  if (trap !== null) fail(`${file}: trap: ${trap}\n${report}`);
  const lines = report.split('\n').slice(0, -1);
  const vectors = JSON.parse(text);
  if (count !== vectors.length || lines.length !== count) fail(`${file}: ${lines.length} of ${vectors.length} vectors ran`);
  for (const algorithm of lines) passed.set(algorithm, (passed.get(algorithm) ?? 0) + 1);
  sample ??= vectors.find((vector) => vector.algorithm.includes('p256')) ?? vectors[0] ?? null;
}
if (sample === null) fail(`no vector in ${folder}`);

// The check looks: change the last digit of any value, and the vector fails.
const fields = ['pi', 'J', 'kc1', 'ks1', 't_1', 't_2', 'z', 'vkc', 'vks', 'b_1', 'b_2'];
for (const field of fields) {
  const last = sample[field].endsWith('0') ? '1' : '0';
  const changed = { ...sample, [field]: sample[field].slice(0, -1) + last };
  const { trap, report } = check(JSON.stringify([changed]));
  if (trap === null) fail(`a vector with another ${field} passes`);
  if (!report.includes('panicked')) fail(`a vector with another ${field} gives a trap without a message: ${trap}`);
}

let total = 0;
for (const [algorithm, count] of [...passed].sort()) {
  console.log(`  ${algorithm}: ${count} vectors passed`);
  total += count;
}
console.log(`  in WebAssembly, ${total} vectors passed, 0 failed; ${fields.length} changed vectors failed as they should`);
