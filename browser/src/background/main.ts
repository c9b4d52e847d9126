/**
 * The background page: hears of every request, and lets through what may be seen.
 *
 * In Firefox this is a persistent page of Manifest V2. The variant for Manifest V3 runs the same code as an event page; it
 * is built and checked and not shipped, because Firefox ends an event page while it holds an answer back, and then shows
 * that answer.
 */

import { createEngine } from "../engine/client.js";
import type { Changed } from "../shared/messages.js";
import { guarded } from "./block.js";
import { firefox } from "./firefox.js";
import { contextEnded, expired } from "./logout.js";
import { hear } from "./messages.js";
import { headersReceived } from "./receive.js";
import { beforeSend } from "./send.js";
import { show } from "./show.js";
import { type Answer, type Details, PRIVATE_CONTEXT } from "./surroundings.js";
import { makeWorld } from "./world.js";

const world = makeWorld(createEngine(), firefox, browser.storage.local);
const everywhere = { urls: ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*"] };

/** A listener that throws lets the request through. */
function closed<D extends Details>(
  run: (details: D) => Answer | Promise<Answer>,
): (details: D) => Answer | Promise<Answer> {
  return details => {
    try {
      const answer = run(details);
      return answer instanceof Promise ? answer.catch(() => ({ cancel: true })) : answer;
    } catch (error) {
      return guarded(world, details, () => Promise.reject(error));
    }
  };
}

const { webRequest, webNavigation, tabs, windows, runtime } = browser;

webRequest.onBeforeSendHeaders.addListener(
  closed(details => beforeSend(world, details)),
  everywhere,
  ["blocking", "requestHeaders"],
);
webRequest.onHeadersReceived.addListener(
  closed(details => headersReceived(world, details)),
  everywhere,
  ["blocking", "responseHeaders"],
);
webRequest.onCompleted.addListener(({ requestId, tabId }) => {
  world.own.over(requestId);
  world.flights.end(requestId);
  world.tabs.finished(tabId, requestId);
}, everywhere);
webRequest.onErrorOccurred.addListener(({ requestId, tabId }) => {
  world.own.over(requestId);
  world.flights.end(requestId);
  world.tabs.failed(tabId, requestId);
}, everywhere);

webNavigation.onCommitted.addListener(({ tabId, frameId, url }) => {
  if (frameId !== 0) return;
  world.tabs.committed(tabId, url);
  if (world.tabs.mayOpenPopup(tabId)) void firefox.openPopup(tabId).catch(() => {});
});
// Firefox forgets a tab's icon when the tab goes elsewhere, now and then only after it has said so.
tabs.onUpdated.addListener((tab, { status }) => {
  if (status !== undefined) showTab(tab);
});
tabs.onRemoved.addListener(tab => world.tabs.closed(tab));

windows.onRemoved.addListener(async () => {
  const left = await windows.getAll();
  if (!left.some(({ incognito }) => incognito)) await contextEnded(world, PRIVATE_CONTEXT);
});
browser.contextualIdentities?.onRemoved.addListener(({ contextualIdentity }) => {
  void contextEnded(world, contextualIdentity.cookieStoreId);
});

world.contexts.onExpired = (context, logins) => expired(world, context, logins);
function showTab(tab: number): void {
  void firefox
    .tab(tab)
    .then(({ context }) => show(tab, world.tabs.view(tab, world.contexts.logins(context))))
    .catch(() => {});
}

world.tabs.onChange = tab => {
  showTab(tab);
  const changed: Changed = { kind: "changed", tab };
  // Nobody may be there to hear it.
  void runtime.sendMessage(changed).catch(() => {});
};

runtime.onMessage.addListener((message: unknown, sender) => {
  const answer = hear(world, message, sender, runtime.id);
  return answer;
});
