// The texts of both languages, and that the code, the pages and the manifests ask for those and no others.
import assert from "node:assert/strict";
import test from "node:test";
import { KEYS } from "../build/js/ui/keys.js";
import { elements, filesBelow, read, readJson } from "./pages.js";

const en = readJson("_locales/en/messages.json");
const ja = readJson("_locales/ja/messages.json");
const PAGES = ["src/popup/popup.html", "src/blocked/blocked.html"];

test("both languages have the same texts", () => {
  assert.deepEqual(Object.keys(ja), Object.keys(en));
  assert.deepEqual(KEYS, Object.keys(en));
});

test("what goes into a text is the same in both languages, and is used", () => {
  for (const key of KEYS) {
    assert.deepEqual(ja[key].placeholders, en[key].placeholders, key);
    const declared = Object.keys(en[key].placeholders ?? {}).sort();
    for (const { message } of [en[key], ja[key]]) {
      const used = [...message.matchAll(/\$([A-Za-z0-9_@]+)\$/g)].map(m => m[1].toLowerCase());
      assert.deepEqual([...new Set(used)].sort(), declared, key);
      assert.ok(!message.replace(/\$[A-Za-z0-9_@]+\$/g, "").includes("$"), `${key}: a lone $`);
    }
  }
});

test("no text is empty, has loose space, or speaks of what only its makers know", () => {
  for (const [language, texts] of Object.entries({ en, ja })) {
    for (const [key, { message }] of Object.entries(texts)) {
      assert.ok(message !== "" && message === message.trim() && !/ {2}|\n/.test(message), `${language} ${key}`);
      assert.doesNotMatch(message, /realm|verifier|digest|nonce|authenticat|credential|レルム|認証子|ハッシュ/i, key);
    }
  }
});

test("what is not a name is translated", () => {
  const same = KEYS.filter(key => en[key].message === ja[key].message);
  assert.deepEqual(same, ["ext_name"]);
  for (const key of KEYS) {
    if (["ext_name", "language_code"].includes(key)) continue;
    assert.match(ja[key].message, /[ぁ-んァ-ヶ一-龠「]/, key);
  }
});

/** Every key that something asks for, by where. */
function asked() {
  const found = new Map();
  for (const page of PAGES) {
    for (const { attributes } of elements(read(page))) {
      for (const name of ["data-i18n", "data-i18n-label"]) if (name in attributes) found.set(attributes[name], page);
    }
  }
  for (const file of filesBelow("src", ".ts").filter(name => !name.endsWith("keys.ts"))) {
    for (const [, word] of read(file).matchAll(/"([a-z0-9]+(?:_[a-z0-9]+)+)"/g))
      if (word in en) found.set(word, file);
  }
  for (const file of filesBelow("manifest", ".json")) {
    for (const [, key] of read(file).matchAll(/__MSG_([A-Za-z0-9_]+)__/g)) found.set(key, file);
  }
  // The buttons' titles are asked for by the state's name.
  for (const status of ["none", "asked", "proven", "impostor"]) found.set(`title_${status}`, "src/background");
  return found;
}

test("whatever is asked for is there, and nothing is there that nobody asks for", () => {
  const keys = asked();
  for (const [key, where] of keys) assert.ok(key in en, `${where} asks for ${key}`);
  assert.deepEqual(
    KEYS.filter(key => !keys.has(key)),
    [],
  );
});

test("the English in the pages is that of the texts", () => {
  for (const page of PAGES) {
    for (const { attributes, text } of elements(read(page))) {
      if ("data-i18n" in attributes) assert.equal(text, en[attributes["data-i18n"]].message, page);
      if ("data-i18n-label" in attributes) {
        assert.equal(attributes["aria-label"], en[attributes["data-i18n-label"]].message, page);
      }
    }
  }
});
