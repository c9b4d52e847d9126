// What the tests of the pages have in common: enough of HTML and CSS to look through pages that are written by hand.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

export const BROWSER = join(import.meta.dirname, "..");

export const read = path => readFileSync(join(BROWSER, path), "utf8");
export const readJson = path => JSON.parse(read(path));

/** Every file below a folder whose name ends so, as paths from `browser/`. */
export function filesBelow(folder, ending) {
  return readdirSync(join(BROWSER, folder), { recursive: true })
    .map(name => join(folder, name))
    .filter(name => name.endsWith(ending))
    .sort();
}

/** The elements of a page in their order: tag, attributes, and the text that is directly in it. */
export function elements(html) {
  const found = [];
  const open = [];
  const token =
    /<!--[\s\S]*?-->|<!doctype[^>]*>|<\/([a-z0-9]+)>|<([a-z0-9]+)((?:\s+[^\s=>]+(?:="[^"]*")?)*)\s*>|([^<]+)/gi;
  for (const [, closed, tag, attributes, text] of html.matchAll(token)) {
    if (closed !== undefined) {
      if (open.pop()?.tag !== closed) throw new Error(`</${closed}> does not close what is open`);
    } else if (tag !== undefined) {
      const element = { tag, attributes: {}, text: "", parent: open.at(-1) ?? null };
      for (const [, name, value] of attributes.matchAll(/([^\s=]+)(?:="([^"]*)")?/g)) {
        element.attributes[name] = value ?? "";
      }
      found.push(element);
      if (!["meta", "link", "img", "input", "br"].includes(tag)) open.push(element);
    } else if (text !== undefined && open.length > 0) {
      for (const element of open) element.text += text;
    }
  }
  if (open.length > 0) throw new Error(`<${open.at(-1).tag}> is not closed`);
  return found;
}

/** The custom properties of the first `:root` of a style sheet, and of the one for dark. */
export function colours(css) {
  const properties = block =>
    Object.fromEntries([...block.matchAll(/(--[a-z-]+):\s*(#[0-9a-f]{6});/g)].map(m => [m[1], m[2]]));
  const light = properties(/:root \{([^}]*)\}/.exec(css)[1]);
  const dark = properties(/prefers-color-scheme: dark\) \{\s*:root \{([^}]*)\}/.exec(css)[1]);
  return { light, dark };
}

function luminance(colour) {
  const [r, g, b] = [1, 3, 5]
    .map(at => Number.parseInt(colour.slice(at, at + 2), 16) / 255)
    .map(c => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** The contrast of two colours as WCAG 2 computes it: from 1 to 21. */
export function contrast(one, other) {
  const [dark, light] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}
