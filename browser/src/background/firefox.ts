/** The browser itself, for {@link Surroundings}. */

import type { Surroundings } from "./surroundings.js";

/** How long a tab may take to say what is in it. */
const PATIENCE = 1000;

export const firefox: Surroundings = {
  page: path => browser.runtime.getURL(path),

  async certificate(requestId) {
    const info = await browser.webRequest.getSecurityInfo(requestId, { certificateChain: false, rawDER: true });
    const der = info.certificates[0]?.rawDER;
    if (der === undefined) throw new Error(`no certificate: the connection is ${info.state}`);
    const { overridableErrorCategory, isUntrusted, isDomainMismatch, isNotValidAtThisTime } = info;
    const isException =
      overridableErrorCategory !== undefined || isUntrusted || isDomainMismatch || isNotValidAtThisTime;
    return { der: Uint8Array.from(der), trusted: isException !== true && info.state === "secure" };
  },

  fetch: (url, init) => fetch(url, init),

  async tab(tab) {
    const found = await browser.tabs.get(tab);
    return { context: found.cookieStoreId ?? "firefox-default", url: found.url };
  },

  async loadTab(tab, url, replace = false) {
    await browser.tabs.update(tab, { url, loadReplace: replace });
  },

  async blankTab(tab) {
    await browser.tabs.update(tab, { url: "about:blank", loadReplace: true });
    for (let tried = 0; tried < 40; tried++) {
      // It may have been empty before, in the name of somebody.
      await new Promise(resolve => setTimeout(resolve, 50));
      const { url, status } = await browser.tabs.get(tab);
      if (url === "about:blank" && status === "complete") return;
    }
  },

  async documents(context) {
    const tabs = await browser.tabs.query({ cookieStoreId: context });
    const found = tabs.map(async ({ id, url, discarded }) => {
      if (id === undefined || discarded === true) return [];
      const late = new Promise<null>(resolve => setTimeout(() => resolve(null), PATIENCE));
      const all = browser.webNavigation.getAllFrames({ tabId: id }).catch(() => null);
      const frames = (await Promise.race([all, late])) ?? [];
      const inner = frames.filter(({ frameId }) => frameId !== 0);
      return [{ tab: id, urls: [url ?? "", ...inner.map(frame => frame.url)] }];
    });
    return (await Promise.all(found)).flat();
  },

  async reloadTab(tab) {
    await browser.tabs.reload(tab, { bypassCache: true });
  },

  async openPopup(tab) {
    const { active, windowId } = await browser.tabs.get(tab);
    if (!active || windowId === undefined) return;
    await (browser.action ?? browser.browserAction).openPopup({ windowId });
  },

  async clearCache(hosts, workers) {
    if (hosts.length === 0) return;
    await browser.browsingData.remove({ hostnames: [...hosts] }, { cache: true, serviceWorkers: workers });
  },
};
