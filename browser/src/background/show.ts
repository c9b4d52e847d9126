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

/** When it is looked whether Firefox still shows it, in milliseconds: it forgets both when a tab goes elsewhere, and may do so late. */
const LOOKS = [100, 1000];
/** The last thing that was shown of each tab. */
const latest = new Map<number, TabView>();

/** Shows a tab's state. A tab that is gone meanwhile is no error. */
export async function show(tab: number, view: TabView): Promise<void> {
  latest.set(tab, view);
  const title = await set(tab, view);
  for (const after of LOOKS) {
    await new Promise(resolve => setTimeout(resolve, after));
    if (latest.get(tab) !== view) return;
    if ((await button().getTitle({ tabId: tab })) !== title) await set(tab, view);
  }
  latest.delete(tab);
}

/** Manifest V3 has the one, Manifest V2 the other. */
function button(): typeof browser.action {
  return browser.action ?? browser.browserAction;
}

async function set(tab: number, view: TabView): Promise<string> {
  const path = `icons/${view.status}.svg`;
  const title = titleOf(view);
  browser.pageAction.setTitle({ tabId: tab, title });
  await Promise.allSettled([
    button().setIcon({ tabId: tab, path: browser.runtime.getURL(path) }),
    button().setTitle({ tabId: tab, title }),
    browser.pageAction.setIcon({ tabId: tab, path: browser.runtime.getURL(path) }),
    // By itself it is there on pages of the web alone, not on ours that stand for them.
    view.status === "none" ? null : browser.pageAction.show(tab),
  ]);
  return title;
}

function titleOf({ status, login, ask, origin }: TabView): string {
  const who = clean(login?.user ?? ask?.realm.name ?? "");
  return browser.i18n.getMessage(TITLES[status], [who, origin ?? ""]);
}
