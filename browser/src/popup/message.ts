/** The one message of the popup: what came of what the user wanted. A screen reader says it at once. */

import type { Failure } from "../shared/messages.js";
import { byId, focusOn, mark, setText, show } from "../ui/dom.js";
import { say, type Text, t } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { FAILURES, type Problem } from "./checks.js";

/** Takes the message away, and the marks at fields. */
export function hush(): void {
  show("message", false);
  setText("message", "");
  mark("message", "failure", null);
  for (const field of document.querySelectorAll("[aria-invalid]")) field.removeAttribute("aria-invalid");
}

/** Says that something is wrong. */
export function sayProblem(text: Text, failure?: Failure): void {
  mark("message", "tone", "error");
  mark("message", "failure", failure ?? null);
  show("message", true);
  setText("message", say(text));
}

/** Says that something is done. */
export function sayDone(key: Key): void {
  mark("message", "tone", "done");
  mark("message", "failure", null);
  show("message", true);
  setText("message", t(key));
}

/** Says why something did not happen, and puts the focus where the user can go on. */
export function sayFailure(failure: Failure, field?: string, key: Key = FAILURES[failure]): void {
  sayProblem({ key }, failure);
  if (field !== undefined) markInvalid(field);
  else focusOn("message");
}

function markInvalid(field: string): void {
  byId(field, HTMLInputElement).setAttribute("aria-invalid", "true");
  focusOn(field);
}

/** Says what is wrong with a field, and goes there. */
export function complain(problem: Problem): void {
  sayProblem(problem.text);
  markInvalid(problem.field);
}
