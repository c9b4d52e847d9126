/**
 * The background page: hears of every request, and lets through what may be seen.
 *
 * In Firefox this is a persistent page of Manifest V2. The variant for Manifest V3 runs the same code as an event page; it
 * is built and checked and not shipped, because Firefox ends an event page while it holds an answer back, and then shows
 * that answer.
 */

import { createEngine } from "../engine/client.js";
import type { Changed } from "../shared/messages.js";
import { revived } from "./before.js";
import { firefox } from "./firefox.js";
import { whenReceived, whenSent } from "./listener.js";
import { contextEnded, expired } from "./logout.js";
import { hear } from "./messages.js";
import { show } from "./show.js";
import { isUnspoken } from "./site.js";
import { PRIVATE_CONTEXT } from "./surroundings.js";
import { makeWorld } from "./world.js";

const world = makeWorld(createEngine(), firefox, browser.storage.local);
const everywhere = { urls: ["http://*/*", "https://*/*", "ws://*/*", "wss://*/*"] };

const { webRequest, webNavigation, tabs, windows, runtime } = browser;

webRequest.onBeforeSendHeaders.addListener(details => whenSent(world, details), everywhere, [
  "blocking",
  "requestHeaders",
]);
webRequest.onHeadersReceived.addListener(details => whenReceived(world, details), everywhere, [
  "blocking",
  "responseHeaders",
]);
webRequest.onBeforeRedirect.addListener(({ requestId }) => world.redirects.redirected(requestId), everywhere);
webRequest.onCompleted.addListener(({ requestId, tabId }) => {
  world.own.over(requestId);
  world.flights.end(requestId);
  world.redirects.end(requestId);
  world.tabs.finished(tabId, requestId);
}, everywhere);
webRequest.onErrorOccurred.addListener(({ requestId, tabId }) => {
  world.own.over(requestId);
  world.flights.end(requestId);
  world.redirects.end(requestId);
  world.tabs.failed(tabId, requestId);
}, everywhere);

webNavigation.onCommitted.addListener(({ tabId, frameId, url, transitionQualifiers }) => {
  if (frameId !== 0) return;
  const fromHistory = transitionQualifiers.includes("forward_back");
  const judged = world.tabs.committed(tabId, url, fromHistory);
  if (fromHistory && judged === null) void revived(world, tabId).catch(() => {});
  if (world.tabs.mayOpenPopup(tabId)) void firefox.openPopup(tabId).catch(() => {});
});
// Firefox forgets a tab's icon when the tab goes elsewhere, now and then only after it has said so.
tabs.onUpdated.addListener((tab, { status, url }) => {
  if (url !== undefined && isUnspoken(url, firefox.page(""))) world.tabs.committed(tab, url);
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
