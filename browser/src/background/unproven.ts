/**
 * Answers that are shown although nobody has proven them, at an origin where somebody is logged in or is about to be: those to
 * requests of other sites, and those that ask for a login.
 *
 * Whoever wrote such a document could use the user's proofs, and write into pages that are proven, if it were of the site's
 * origin. So it is one of no origin.
 */

import { block, guarded } from "./block.js";
import { type Headers, type Line, notStored, offered, prompts, withoutOthers } from "./fields.js";
import { NONE } from "./page.js";
import { type Address, fromInside, members } from "./site.js";
import { type Answer, contextOf, type Details, type ReceiveDetails } from "./surroundings.js";
import type { World } from "./world.js";

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

/** An answer that has nothing to do with us; unless a site that was proven before asks for a password in the old way. */
export function ordinary(
  world: World,
  details: ReceiveDetails,
  target: Address,
  lines: readonly Line[],
): Answer | Promise<Answer> {
  const show = (): Answer => {
    if (isShown(details)) world.tabs.judge(details.tabId, details.requestId, details.url, NONE);
    return {};
  };
  if (details.statusCode !== 401 || !prompts(lines) || offered(lines).has("mutual")) return show();
  return guarded(world, details, async () =>
    (await world.known.has(target.origin))
      ? block(world, details, "downgrade", `it asked for ${[...offered(lines)].join(", ")}`)
      : show(),
  );
}

/** Whether somebody is logged in, and a page of another site has made the request: it carried no proof. */
export function isStranger(world: World, details: ReceiveDetails, target: Address): boolean {
  const context = contextOf(details);
  const covered = world.contexts.covering(context, target.origin).length > 0;
  return covered && !fromInside(details, target, members(world.contexts, context));
}

/** An answer to a request that went without a proof for a reason: nothing is said of it, and it is no document of the site's. */
export async function ofNobody(
  world: World,
  details: ReceiveDetails,
  target: Address,
  lines: readonly Line[],
): Promise<Answer> {
  let answer: Answer = { responseHeaders: withoutOthers(details.responseHeaders) };
  if (!offered(lines).has("mutual")) answer = await ordinary(world, details, target, lines);
  else if (isShown(details)) world.tabs.judge(details.tabId, details.requestId, details.url, NONE);
  if (!isDocument(details) || answer.cancel === true || answer.redirectUrl !== undefined) return answer;
  return { responseHeaders: unproven(answer.responseHeaders ?? details.responseHeaders) };
}

/** Whether the tab will show the answer. What is stored as a file, or has no content, never is. */
export function isShown(details: ReceiveDetails): boolean {
  if (details.type !== "main_frame" || details.statusCode === 204 || details.statusCode === 205) return false;
  const disposition = details.responseHeaders?.find(({ name }) => name.toLowerCase() === "content-disposition");
  return !/^\s*attachment/i.test(disposition?.value ?? "");
}
