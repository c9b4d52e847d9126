// The field that Firefox is given: text of one octet a character, or octets.
import assert from "node:assert/strict";
import test from "node:test";
import { withAuthorization } from "../build/js/background/fields.js";

test("what is ASCII goes as text", () => {
  const value = 'Mutual version=1, realm="Staff"';
  assert.deepEqual(withAuthorization(value), { name: "Authorization", value });
});

test("a realm's name in another script goes as the octets of UTF-8", () => {
  const value = 'Mutual realm="会員"';
  const { name, binaryValue, value: text } = withAuthorization(value);
  assert.equal(name, "Authorization");
  assert.equal(text, undefined);
  assert.equal(new TextDecoder().decode(new Uint8Array(binaryValue)), value);
});
