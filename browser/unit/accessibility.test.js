// Names, labels, landmarks, contrast: what a program can judge of the pages.
import assert from "node:assert/strict";
import test from "node:test";
import { colours, contrast, elements, filesBelow, read } from "./pages.js";

const PAGES = { popup: read("src/popup/popup.html"), blocked: read("src/blocked/blocked.html") };

for (const [name, html] of Object.entries(PAGES)) {
  const all = elements(html);
  const ids = all.filter(e => "id" in e.attributes).map(e => e.attributes.id);
  const inside = (element, tag) => element !== null && (element.tag === tag || inside(element.parent, tag));

  test(`${name}: ids are unique, and what is referred to is there`, () => {
    assert.equal(new Set(ids).size, ids.length);
    for (const { attributes } of all) {
      for (const reference of ["for", "aria-labelledby", "aria-describedby", "aria-controls"]) {
        for (const id of (attributes[reference] ?? "").split(" ").filter(Boolean))
          assert.ok(ids.includes(id), `${reference}=${id}`);
      }
    }
  });

  test(`${name}: every field has a label, every button and picture a name`, () => {
    const labelled = all.filter(e => e.tag === "label").map(e => e.attributes.for);
    for (const { tag, attributes, text } of all) {
      if (tag === "input") assert.ok(labelled.includes(attributes.id), attributes.id);
      if (tag === "button") assert.ok(text.trim() !== "" || "aria-label" in attributes, attributes.id);
      if (tag === "button") assert.ok(["button", "submit"].includes(attributes.type), attributes.id);
      if (tag === "img") assert.ok("alt" in attributes);
      if (tag === "svg") assert.equal(attributes["aria-hidden"], "true");
      if (tag === "form" || tag === "section") assert.ok("aria-labelledby" in attributes, attributes.id);
    }
  });

  test(`${name}: a main part, one first heading, an alert, a language`, () => {
    assert.equal(all.filter(e => e.tag === "main").length, 1);
    assert.equal(all.filter(e => e.tag === "h1").length, 1);
    assert.ok(all.some(e => e.attributes.role === "alert"));
    assert.equal(all.find(e => e.tag === "html").attributes.lang, "en");
    assert.ok(all.filter(e => e.tag === "input").every(e => inside(e, "form")));
    assert.ok(
      all.every(e => Number(e.attributes.tabindex ?? -1) < 1),
      "the order of the tab key is that of the page",
    );
  });

  test(`${name}: nothing but files of the extension, and no script or style in the page`, () => {
    for (const { tag, attributes, text } of all) {
      if (tag === "script") assert.equal(text, "");
      assert.notEqual(tag, "style");
      for (const [key, value] of Object.entries(attributes)) {
        assert.ok(!key.startsWith("on") && key !== "style", key);
        if (key === "src" || key === "href") assert.match(value, /^[a-z./]+$/);
      }
    }
  });

  test(`${name}: the ids that its comment promises, and those that its code asks for`, () => {
    const promised = /<!--([\s\S]*?)-->/.exec(html)[1].replace(/\([^)]*\)/g, "");
    const words = promised.split(/Ids that.*?:\n/s).at(-1);
    for (const line of words.split("\n")) {
      const list = name === "popup" ? line.replace(/^\s{2}\S.*?\s{2,}/, "").replace(/^\s*logging in\s+/, "") : line;
      for (const id of list
        .split(",")
        .map(word => word.trim())
        .filter(Boolean))
        assert.ok(ids.includes(id), id);
    }
    for (const file of filesBelow(`src/${name}`, ".ts")) {
      for (const [, id] of read(file).matchAll(
        /\b(?:byId|setText|show|mark|focusOn|take|clearPassword)\("([a-z-]+)"/g,
      )) {
        assert.ok(ids.includes(id), `${file}: ${id}`);
      }
    }
  });
}

test("HTML is never made of texts", () => {
  for (const file of filesBelow("src", ".ts")) {
    assert.doesNotMatch(
      read(file),
      /innerHTML|outerHTML|insertAdjacentHTML|document\.write|createContextualFragment/,
      file,
    );
  }
});

const { light, dark } = colours(read("src/ui/ui.css"));

test("text is readable on every ground that it is put on, in light and dark", () => {
  const pairs = [
    [
      "text",
      [
        "ground",
        "ground-raised",
        "field",
        "button",
        "button-hover",
        "button-active",
        "good-ground",
        "bad-ground",
        "warn-ground",
      ],
    ],
    ["text-quiet", ["ground", "ground-raised"]],
    ["accent", ["ground"]],
    ["accent-hover", ["ground"]],
    ["on-accent", ["accent", "accent-hover", "accent-active"]],
    ["good", ["ground", "good-ground"]],
    ["bad", ["ground", "bad-ground"]],
  ];
  assert.deepEqual(Object.keys(light), Object.keys(dark));
  for (const [scheme, colour] of Object.entries({ light, dark })) {
    for (const [text, grounds] of pairs) {
      for (const ground of grounds) {
        const found = contrast(colour[`--${text}`], colour[`--${ground}`]);
        assert.ok(found >= 4.5, `${scheme}: ${text} on ${ground} has ${found.toFixed(2)}`);
      }
    }
    for (const edge of ["field-line", "focus"]) {
      const found = contrast(colour[`--${edge}`], colour["--ground"]);
      assert.ok(found >= 3, `${scheme}: ${edge} has ${found.toFixed(2)}`);
    }
  }
});

test("the signs stand out from light and dark toolbars, and each has a shape of its own", () => {
  const toolbars = { light: ["#ffffff", "#f0f0f4", "#f9f9fb"], dark: ["#1c1b22", "#2b2a33", "#42414d"] };
  const shapes = new Set();
  for (const status of ["none", "asked", "proven", "impostor"]) {
    const svg = read(`icons/${status}.svg`);
    const style = /<style>([\s\S]*?)<\/style>/.exec(svg)[1];
    const split = style.indexOf("@media");
    const first = part => /#[0-9a-f]{6}/.exec(part)[0];
    for (const ground of toolbars.light) assert.ok(contrast(first(style.slice(0, split)), ground) >= 3, status);
    for (const ground of toolbars.dark) assert.ok(contrast(first(style.slice(split)), ground) >= 3, status);
    shapes.add(svg.replace(/<style>[\s\S]*?<\/style>|<!--[\s\S]*?-->/g, ""));
    assert.doesNotMatch(svg, /<script|href|url\(/);
  }
  assert.equal(shapes.size, 4);
});

test("motion and colours are those that the user asks for", () => {
  const css = read("src/ui/ui.css");
  assert.match(css, /@media \(prefers-reduced-motion: reduce\)/);
  assert.match(css, /@media \(forced-colors: active\)/);
  for (const file of filesBelow("src", ".css").filter(name => !name.endsWith("ui.css"))) {
    assert.doesNotMatch(read(file), /#[0-9a-f]{3,8}\b|rgb|hsl/i, `${file} has a colour of its own`);
  }
});
