/** What stands between Firefox and the two listeners: whatever becomes of them, Firefox gets an answer that it carries out. */

import { block, blockSafely } from "./block.js";
import { headersReceived } from "./receive.js";
import { beforeSend } from "./send.js";
import type { Answer, Details, ReceiveDetails, SendDetails } from "./surroundings.js";
import type { World } from "./world.js";

/** For `onBeforeSendHeaders`. */
export function whenSent(world: World, details: SendDetails): Answer | Promise<Answer> {
  world.redirects.sent(details.requestId);
  return closed(world, details, () => beforeSend(world, details));
}

/** For `onHeadersReceived`. */
export function whenReceived(world: World, details: ReceiveDetails): Answer | Promise<Answer> {
  return closed(world, details, () => headersReceived(world, details));
}

/** A listener that throws, or whose promise rejects, would let the request through. */
function closed(world: World, details: Details, run: () => Answer | Promise<Answer>): Answer | Promise<Answer> {
  try {
    const answer = run();
    if (!(answer instanceof Promise)) return within(world, details, answer);
    return answer.then(found => within(world, details, found)).catch(() => ({ cancel: true }));
  } catch (error) {
    return blockSafely(world, details, String(error));
  }
}

/** A redirect beyond those that Firefox follows would let the request through, too. */
function within(world: World, details: Details, answer: Answer): Answer {
  if (answer.redirectUrl === undefined || world.redirects.may(details.requestId)) return answer;
  return block(world, details, "protocol", "too many redirects");
}
