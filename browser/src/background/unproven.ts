/**
 * Answers that are shown although nobody has proven them, at an origin where somebody is logged in or is about to be: those to
 * requests of other sites, and those that ask for a login.
 *
 * Whoever wrote such a document could use the user's proofs, and write into pages that are proven, if it were of the site's
 * origin. So it is one of no origin.
 */

import { type Headers, notStored } from "./fields.js";
import type { Details } from "./surroundings.js";

/** What it may do nevertheless. Without `allow-same-origin` it has no origin; without `allow-popups` no windows of its own. */
const SANDBOX = "sandbox allow-scripts allow-forms allow-downloads";

const DOCUMENTS: ReadonlySet<string> = new Set(["main_frame", "sub_frame", "object"]);

/** Whether an answer may become a document. */
export function isDocument({ type }: Details): boolean {
  return DOCUMENTS.has(type);
}

/** The headers of such a document. A policy of the site's own holds beside ours; a copy is not kept for when it is proven. */
export function unproven(headers: Headers | undefined): Headers {
  return [...notStored(headers), { name: "Content-Security-Policy", value: SANDBOX }];
}
