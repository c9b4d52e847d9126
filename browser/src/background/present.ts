/** How a login is asked for (RFC 8053 §4.2 to §4.4). */

import type { Received } from "../engine/api.js";
import type { Asked } from "./asked.js";
import { drop } from "./asked.js";
import type { Batch } from "./batch.js";
import { block } from "./block.js";
import { withoutOthers } from "./fields.js";
import { Pending } from "./pending.js";
import type { Flight } from "./requests.js";
import { address, covers, fromInside, members, resolve } from "./site.js";
import type { Answer, ReceiveDetails } from "./surroundings.js";
import { isDocument, unproven } from "./unproven.js";
import type { World } from "./world.js";

/** How long an answer is held for somebody to log in. */
const PATIENCE = 5 * 60_000;

export function asks(
  world: World,
  details: ReceiveDetails,
  batch: Batch,
  flight: Flight,
  received: Received & { is: "asked" },
  seen: Pick<Asked, "head" | "known" | "trusted">,
): Answer | Pending {
  const { context, target } = flight;
  const { realm, reason, optional, username, present } = received;
  const page = details.type === "main_frame" && details.tabId >= 0;
  const offer = !optional && present !== "do-not-ask";
  const asked: Asked = {
    id: received.ask,
    context,
    target,
    method: details.method,
    realm,
    reason,
    optional,
    username,
    ...seen,
    page,
    offer: page && offer,
  };
  const { waiter } = flight;
  flight.waiter = null;
  const refused = (): void => waiter?.fail("refused");
  // No window of the browser opens beside ours.
  const headers = withoutOthers(details.responseHeaders);
  const covered = flight.sends !== "normal" || world.contexts.covering(context, target.origin).length > 0;
  // What a guest is shown beside an offer to log in is an ordinary page.
  const ordinary = !covered && details.statusCode !== 401;
  const answer: Answer = { responseHeaders: ordinary || !isDocument(details) ? headers : unproven(headers) };
  const isGet = details.method === "GET" || details.method === "HEAD";

  if (!page) {
    refused();
    const shown = address(world.tabs.url(details.tabId) ?? undefined);
    const related = shown !== null && covers(realm.scope, shown.origin);
    if (related) world.tabs.askedInside(details.tabId, asked);
    else drop(world.engine, asked);
    // Nobody has proven it, and it would be a part of what somebody has.
    const amiss = covered || world.tabs.page(details.tabId).is === "proven";
    if (amiss) return block(world, details, "no-proof", "a part of a page that asks for a login");
    world.flights.close(details.requestId);
    return answer;
  }
  if (typeof present === "object") {
    // Like 303 (See Other), from somebody who has proven nothing (RFC 8053 §4.3).
    refused();
    drop(world.engine, asked);
    world.flights.close(details.requestId);
    const place = resolve(present.seeOther, details.url);
    if (place === null) return answer;
    if (isGet) return { redirectUrl: place };
    void world.around.loadTab(details.tabId, place).catch(() => {});
    return { cancel: true };
  }
  const show = (): Answer => {
    world.flights.close(details.requestId);
    world.tabs.judge(details.tabId, details.requestId, details.url, { is: "asked", asked }, refused);
    return answer;
  };
  // What another site has sent is not carried out in the name of whoever logs in: by then it is a wish of the user's to see the page.
  const isWish = isGet || fromInside(details, target, members(world.contexts, context));
  if (offer && isWish && (present === "modal" || !isGet)) {
    if (batch.size > 1) {
      // Others would be held with it. It comes again; if it is never alone, it is shown.
      if (!world.flights.mayComeAgain(details.requestId)) return show();
      refused();
      drop(world.engine, asked);
      world.flights.comesAgain(details.requestId);
      world.flights.close(details.requestId);
      return { redirectUrl: details.url };
    }
    refused();
    const held = world.tabs.hold(details.tabId, details.requestId, asked, PATIENCE, show);
    void world.around.openPopup(details.tabId).catch(() => {});
    return new Pending(held);
  }
  return show();
}
