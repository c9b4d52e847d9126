/** The two icons: in the toolbar, and inside the address bar. */

import type { Status, TabView } from "../shared/state.js";
import { clean } from "../ui/text.js";

/** What is said of each status, from `_locales`. */
const TITLES: Readonly<Record<Status, string>> = {
  none: "title_none",
  asked: "title_asked",
  proven: "title_proven",
  impostor: "title_impostor",
};

/** Shows a tab's state. A tab that is gone meanwhile is no error. */
export async function show(tab: number, view: TabView): Promise<void> {
  const path = `icons/${view.status}.svg`;
  const title = titleOf(view);
  // Manifest V3 has the one, Manifest V2 the other.
  const button = browser.action ?? browser.browserAction;
  browser.pageAction.setTitle({ tabId: tab, title });
  await Promise.allSettled([
    button.setIcon({ tabId: tab, path: browser.runtime.getURL(path) }),
    button.setTitle({ tabId: tab, title }),
    browser.pageAction.setIcon({ tabId: tab, path: browser.runtime.getURL(path) }),
    // By itself it is there on pages of the web alone, not on ours that stand for them.
    view.status === "none" ? null : browser.pageAction.show(tab),
  ]);
}

function titleOf({ status, login, ask, origin }: TabView): string {
  const who = clean(login?.user ?? ask?.realm.name ?? "");
  return browser.i18n.getMessage(TITLES[status], [who, origin ?? ""]);
}
