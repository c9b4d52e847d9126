/** The texts of `_locales`, by key. */

import type { Key } from "./keys.js";
import { isolate } from "./text.js";

/** A text and what goes into it, not yet in any language: what pure functions return. */
export interface Text {
  readonly key: Key;
  readonly with?: readonly string[];
}

/** The text in the user's language. What goes into it is set apart, so that it cannot rearrange the sentence. */
export function t(key: Key, ...substitutions: readonly string[]): string {
  return browser.i18n.getMessage(key, substitutions.map(isolate));
}

/** {@link t} of a {@link Text}. */
export function say(text: Text): string {
  return t(text.key, ...(text.with ?? []));
}

/** Fills in the texts of a page, once: `data-i18n` the text itself, `data-i18n-label` the accessible name. */
export function localize(page: Document): void {
  page.documentElement.lang = t("language_code");
  for (const element of page.querySelectorAll<HTMLElement>("[data-i18n]")) {
    element.textContent = t(element.getAttribute("data-i18n") as Key);
  }
  for (const element of page.querySelectorAll<HTMLElement>("[data-i18n-label]")) {
    element.setAttribute("aria-label", t(element.getAttribute("data-i18n-label") as Key));
  }
}
