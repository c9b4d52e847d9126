/** Fields for passwords: shown on demand, a word about Caps Lock, and emptied in time. */

import { byId, show } from "./dom.js";
import { t } from "./i18n.js";

/** Every field that can be shown, and the button that does it. */
const SHOW_BUTTONS: ReadonlyMap<string, string> = new Map([["password", "show-password"]]);

/** Shows what is in a field, or covers it. */
function setShown(field: HTMLInputElement, button: HTMLButtonElement, shown: boolean): void {
  field.type = shown ? "text" : "password";
  button.setAttribute("aria-pressed", String(shown));
  const name = t(shown ? "password_hide" : "password_show");
  button.setAttribute("aria-label", name);
  button.title = name;
}

/** Makes a field show what is in it while its button is pressed in. */
function watchShowButton(field: HTMLInputElement, button: HTMLButtonElement): void {
  setShown(field, button, false);
  button.addEventListener("click", () => setShown(field, button, field.type === "password"));
}

/** Shows the element `hint` while Caps Lock is on and a key goes into one of `fields`. */
function watchCapsLock(fields: readonly HTMLInputElement[], hint: string): void {
  const look = (event: KeyboardEvent | MouseEvent): void => show(hint, event.getModifierState("CapsLock"));
  for (const field of fields) {
    field.addEventListener("keydown", look);
    field.addEventListener("keyup", look);
    field.addEventListener("mousedown", look);
    field.addEventListener("blur", () => show(hint, false));
  }
}

/** Sets up the password fields of a form. */
export function watchPasswords(fields: readonly string[], capsLockHint: string): void {
  for (const id of fields) {
    const button = SHOW_BUTTONS.get(id);
    if (button !== undefined) watchShowButton(byId(id, HTMLInputElement), byId(button, HTMLButtonElement));
  }
  watchCapsLock(
    fields.map(id => byId(id, HTMLInputElement)),
    capsLockHint,
  );
}

/** Takes what is in a field and leaves the field empty and covered. */
export function take(id: string): string {
  const field = byId(id, HTMLInputElement);
  const { value } = field;
  clearPassword(id);
  return value;
}

/** Empties a field and covers it again. */
export function clearPassword(id: string): void {
  const field = byId(id, HTMLInputElement);
  field.value = "";
  const button = SHOW_BUTTONS.get(id);
  if (button !== undefined) setShown(field, byId(button, HTMLButtonElement), false);
}
