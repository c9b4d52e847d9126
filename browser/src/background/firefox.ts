/** The browser itself, for {@link Surroundings}. */

import type { Surroundings } from "./surroundings.js";

export const firefox: Surroundings = {
  page: path => browser.runtime.getURL(path),

  async certificate(requestId) {
    const info = await browser.webRequest.getSecurityInfo(requestId, { certificateChain: false, rawDER: true });
    const der = info.certificates[0]?.rawDER;
    if (der === undefined) throw new Error(`no certificate: the connection is ${info.state}`);
    return Uint8Array.from(der);
  },

  fetch: (url, init) => fetch(url, init),

  async tab(tab) {
    const found = await browser.tabs.get(tab);
    return { context: found.cookieStoreId ?? "firefox-default", url: found.url };
  },

  async loadTab(tab, url) {
    await browser.tabs.update(tab, { url });
  },

  async reloadTab(tab) {
    await browser.tabs.reload(tab, { bypassCache: true });
  },

  async openPopup(tab) {
    const { active, windowId } = await browser.tabs.get(tab);
    if (!active || windowId === undefined) return;
    await (browser.action ?? browser.browserAction).openPopup({ windowId });
  },

  async clearCache(hosts) {
    if (hosts.length > 0) await browser.browsingData.remove({ hostnames: [...hosts] }, { cache: true });
  },
};
