// The manifests: what both variants are, and that the files they name exist.
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { BROWSER, readJson } from "./pages.js";

const common = readJson("manifest/common.json");
const variants = { 2: readJson("manifest/mv2.json"), 3: readJson("manifest/mv3.json") };

test("versions are those of the package", () => {
  assert.equal(common.version, readJson("package.json").version);
  for (const [version, variant] of Object.entries(variants)) assert.equal(variant.manifest_version, Number(version));
});

test("both variants may do the same, and nothing else", () => {
  const { permissions, host_permissions } = variants[3];
  assert.deepEqual(variants[2].permissions, [...permissions, ...host_permissions]);
  assert.deepEqual(variants[2].browser_action, variants[3].action);
  assert.equal(variants[2].content_security_policy, variants[3].content_security_policy.extension_pages);
  assert.deepEqual(variants[2].web_accessible_resources, variants[3].web_accessible_resources[0].resources);
});

test("no code from elsewhere, and nothing is collected", () => {
  const directives = Object.fromEntries(
    variants[2].content_security_policy.split("; ").map(directive => {
      const [name, ...sources] = directive.split(" ");
      return [name, sources];
    }),
  );
  assert.deepEqual(directives["default-src"], ["'none'"]);
  assert.deepEqual(directives["script-src"], ["'self'", "'wasm-unsafe-eval'"]);
  assert.deepEqual(directives["object-src"], ["'none'"]);
  assert.deepEqual(common.browser_specific_settings.gecko.data_collection_permissions, { required: ["none"] });
});

test("icons and pages that are named are there", () => {
  const { browser_action: button } = variants[2];
  const icons = [...Object.values(common.icons), button.default_icon, common.page_action.default_icon];
  for (const path of icons) assert.ok(existsSync(join(BROWSER, path)), path);
  for (const path of [button.default_popup, common.page_action.default_popup, "blocked/blocked.html"]) {
    assert.ok(existsSync(join(BROWSER, "src", path)), path);
  }
});
