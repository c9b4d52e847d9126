/** What can be said of input before it goes anywhere. Pure. */

import type { Failure } from "../shared/messages.js";
import type { Text } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { lengthOf } from "../ui/text.js";

/** Fewest characters of a new password. */
export const LEAST = 8;

/** How good a new password's length is. Nothing else of it is judged: rules about signs make people choose worse ones. */
export function lengthHint(password: string): { readonly level: 0 | 1 | 2 | 3 | 4; readonly text: Text } {
  const length = lengthOf(password);
  if (length === 0) return { level: 0, text: { key: "hint_empty" } };
  if (length < LEAST) return { level: 1, text: { key: "hint_short", with: [String(LEAST)] } };
  if (length < 14) return { level: 2, text: { key: "hint_fair" } };
  if (length < 20) return { level: 3, text: { key: "hint_good" } };
  return { level: 4, text: { key: "hint_strong" } };
}

/** A field that has to be corrected, and why. */
export interface Problem {
  readonly field: string;
  readonly text: Text;
}

/** What is wrong with the login form, if anything. */
export function checkLogin(user: string, password: string): Problem | null {
  if (user === "") return { field: "user", text: { key: "missing_user" } };
  if (password === "") return { field: "password", text: { key: "missing_password" } };
  return null;
}

/** What is wrong with a new password, if anything; `fields` are the ids of the two fields. */
function checkNew(password: string, again: string, fields: readonly [string, string]): Problem | null {
  if (lengthOf(password) < LEAST) return { field: fields[0], text: { key: "hint_short", with: [String(LEAST)] } };
  if (password !== again) return { field: fields[1], text: { key: "hint_different" } };
  return null;
}

/** What is wrong with the form that changes a password, if anything. */
export function checkChange(old: string, password: string, again: string): Problem | null {
  if (old === "") return { field: "old-password", text: { key: "missing_password" } };
  const problem = checkNew(password, again, ["new-password", "new-password-again"]);
  if (problem === null && password === old) return { field: "new-password", text: { key: "hint_same_as_old" } };
  return problem;
}

/** What is wrong with the form that registers, if anything. */
export function checkRegister(user: string, invitation: string, password: string, again: string): Problem | null {
  if (user === "") return { field: "register-user", text: { key: "missing_user" } };
  if (readInvitation(invitation) === null) return { field: "invitation", text: { key: "missing_invitation" } };
  return checkNew(password, again, ["register-password", "register-password-again"]);
}

/** Characters of an invitation's code, in groups of four. */
const CODE = 20;

/**
 * An invitation's code as it is meant, `XXXX-XXXX-XXXX-XXXX-XXXX`; null if it cannot be one. Case, spaces, hyphens, and the
 * full-width letters of an input method do not matter; O is read as 0, I and L as 1 (Crockford's base 32).
 */
export function readInvitation(typed: string): string | null {
  const code = typed
    .normalize("NFKC")
    .toUpperCase()
    .replace(/[\s\p{Pd}ー−_.]/gu, "")
    .replace(/O/g, "0")
    .replace(/[IL]/g, "1");
  if (code.length !== CODE || !/^[0-9A-HJKMNP-TV-Z]+$/.test(code)) return null;
  return code.replace(/(.{4})(?=.)/g, "$1-");
}

/** The text of a failure. */
export const FAILURES: Readonly<Record<Failure, Key>> = {
  refused: "failure_refused",
  wait: "failure_wait",
  impostor: "failure_impostor",
  network: "failure_network",
  characters: "failure_characters",
  gone: "failure_gone",
  "no-registration": "failure_no_registration",
  invitation: "failure_invitation",
  insecure: "failure_insecure",
  internal: "failure_internal",
};
