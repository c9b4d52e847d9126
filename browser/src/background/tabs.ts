/**
 * What each tab shows, and what of it is proven.
 *
 * An answer that has been judged is not yet on display, and may never be. So a judgement waits until Firefox says that the
 * tab has gone to its address, and only then becomes what the tab is.
 */

import { isImpostor, type Login, type Realm, type TabView } from "../shared/state.js";
import type { Asked } from "./asked.js";
import type { BlockedPages } from "./blocked.js";
import { sameRealm } from "./contexts.js";
import { type Held, NONE, type Over, type Page, type Prepared } from "./page.js";
import { address, sameAddress } from "./site.js";
import type { Answer, Details } from "./surroundings.js";

/** How long a judgement waits for a page whose loading is over. */
const LINGER = 3000;
/** After so long it is none of a page that Back or Forward shows: Firefox says that it goes there about when loading is over. */
const RECENT = 500;

interface Judged {
  readonly url: string;
  page: Page;
  over: boolean;
  /** It has been over for a while. */
  late: boolean;
  /** To be called when it is shown, or never will be. */
  settled(): void;
}

interface Tab {
  url: string | null;
  page: Page;
  readonly judged: Map<string, Judged>;
  held: Held | null;
  prepared: Prepared | null;
  busy: boolean;
  /** The next page that asks does so without the popup opening. */
  quiet: boolean;
}

export class Tabs {
  readonly #tabs = new Map<number, Tab>();
  readonly #blocked: BlockedPages;
  readonly #dropAsk: (asked: Asked) => void;
  /** Called when what there is to show of a tab has changed. */
  onChange: (tab: number) => void = () => {};

  constructor(blocked: BlockedPages, dropAsk: (asked: Asked) => void) {
    this.#blocked = blocked;
    this.#dropAsk = dropAsk;
  }

  #tab(id: number): Tab {
    const found = this.#tabs.get(id);
    if (found !== undefined) return found;
    const tab: Tab = {
      url: null,
      page: NONE,
      judged: new Map(),
      held: null,
      prepared: null,
      busy: false,
      quiet: false,
    };
    this.#tabs.set(id, tab);
    return tab;
  }

  /** An answer for the tab itself was judged. It is shown when {@link Tabs.committed} says so. */
  judge(id: number, requestId: string, url: string, page: Page, settled: () => void = () => {}): void {
    if (id < 0) return;
    const tab = this.#tab(id);
    const before = tab.judged.get(requestId);
    if (before !== undefined) this.#forget(before);
    tab.judged.set(requestId, { url, page, over: false, late: false, settled });
  }

  /**
   * The tab has gone to an address. Gives what it shows now, null if nobody has judged it.
   *
   * @param fromHistory By Back or Forward: it may be a page that Firefox has kept alive, and no answer at all.
   */
  committed(id: number, url: string, fromHistory = false): Page | null {
    const tab = this.#tab(id);
    const found = [...tab.judged].filter(
      ([, judged]) => sameAddress(judged.url, url) && !(fromHistory && judged.late && judged.page.is === "proven"),
    );
    // Should there be two of one address, nobody knows which it is: nothing more is said than holds for both.
    const shown = found.find(([, judged]) => judged.page.is !== "proven") ?? found.at(-1);
    const page = shown?.[1].page ?? NONE;
    for (const [requestId, judged] of [...tab.judged]) {
      if (requestId !== shown?.[0] && !judged.over) continue;
      tab.judged.delete(requestId);
      if (judged.page !== page) this.#forget(judged);
    }
    // Whoever goes elsewhere does not wait for it any more, and Firefox does not say so of an answer that is held back.
    if (tab.held !== null && tab.held.requestId !== shown?.[0]) tab.held.release({ cancel: true });
    this.#show(id, tab, url, page);
    shown?.[1].settled();
    return shown === undefined ? null : page;
  }

  #show(id: number, tab: Tab, url: string | null, page: Page): void {
    if (tab.page !== page) this.#leave(tab.page);
    tab.url = url;
    tab.page = page;
    this.onChange(id);
  }

  #forget(judged: Judged): void {
    this.#leave(judged.page);
    judged.settled();
  }

  #leave(page: Page): void {
    if (page.is === "asked") this.#dropAsk(page.asked);
  }

  /** Loading is over; a page that is not shown soon never will be. */
  finished(id: number, requestId: string): void {
    const tab = this.#tabs.get(id);
    const judged = tab?.judged.get(requestId);
    if (tab === undefined || judged === undefined || judged.over) return;
    judged.over = true;
    setTimeout(() => {
      judged.late = true;
    }, RECENT);
    setTimeout(() => this.failed(id, requestId), LINGER);
  }

  /** A request came to nothing. */
  failed(id: number, requestId: string): void {
    const tab = this.#tabs.get(id);
    if (tab === undefined) return;
    const judged = tab.judged.get(requestId);
    if (judged !== undefined) this.#forget(judged);
    tab.judged.delete(requestId);
    if (tab.held?.requestId === requestId) tab.held.release({ cancel: true });
  }

  /** Something inside of the page asks for a login. */
  askedInside(id: number, asked: Asked): void {
    const tab = this.#tabs.get(id);
    if (tab === undefined || tab.page.is !== "none" || tab.url === null) {
      this.#dropAsk(asked);
      return;
    }
    this.#show(id, tab, tab.url, { is: "asked", asked });
  }

  /** Holds an answer back. The promise is what to answer, once somebody has decided. */
  hold(id: number, requestId: string, asked: Asked, patience: number, declined: () => Answer): Promise<Answer> {
    const tab = this.#tab(id);
    tab.held?.release({ cancel: true });
    return new Promise(resolve => {
      const release = (answer: Answer): void => {
        clearTimeout(timer);
        if (tab.held === held) {
          tab.held = null;
          this.onChange(id);
        }
        resolve(answer);
      };
      const timer = setTimeout(() => held.decline(), patience);
      const held: Held = { requestId, asked, release, decline: () => release(declined()) };
      tab.held = held;
      this.onChange(id);
    });
  }

  held(id: number): Held | null {
    return this.#tabs.get(id)?.held ?? null;
  }

  page(id: number): Page {
    return this.#tabs.get(id)?.page ?? NONE;
  }

  url(id: number): string | null {
    return this.#tabs.get(id)?.url ?? null;
  }

  /** What the tab asks for, and an answer that is held comes first. */
  asked(id: number): Asked | null {
    const tab = this.#tabs.get(id);
    if (tab?.held) return tab.held.asked;
    return tab?.page.is === "asked" ? tab.page.asked : null;
  }

  prepare(id: number, prepared: Prepared | null): void {
    this.#tab(id).prepared = prepared;
  }

  /**
   * The proof that was made for the tab's next loading, if a request is that: it is given once. Nobody else may have made the
   * request: not a form of a page, into a window that it holds.
   *
   * @param own Where addresses of this extension begin.
   */
  take({ type, method, tabId, url, originUrl }: Details, own: string): Prepared | null {
    if (type !== "main_frame" || method !== "GET") return null;
    return originUrl === undefined || originUrl.startsWith(own) ? this.takeBack(tabId, url) : null;
  }

  /** The same proof, for its maker. */
  takeBack(id: number, url: string): Prepared | null {
    const tab = this.#tabs.get(id);
    const prepared = tab?.prepared ?? null;
    if (tab === undefined || prepared === null || !sameAddress(prepared.url, url)) return null;
    tab.prepared = null;
    return prepared;
  }

  /** Somebody who has just logged out is not asked to log in again: the popup stays closed for the tab's next page. */
  quieten(id: number): void {
    this.#tab(id).quiet = true;
  }

  /** Whether the popup may open by itself for the page that the tab shows now. */
  mayOpenPopup(id: number): boolean {
    const tab = this.#tabs.get(id);
    if (tab === undefined) return false;
    const { quiet, page } = tab;
    tab.quiet = false;
    return !quiet && page.is === "asked" && page.asked.offer;
  }

  busy(id: number): boolean {
    return this.#tabs.get(id)?.busy ?? false;
  }

  setBusy(id: number, busy: boolean): void {
    const tab = this.#tab(id);
    if (tab.busy === busy) return;
    tab.busy = busy;
    this.onChange(id);
  }

  /**
   * The user is no longer logged in to a realm: pages of it that are on display, or about to be, are nothing now. Gives
   * them, at most one of each tab.
   */
  over(ids: ReadonlySet<number>, realm: Realm): Over[] {
    const shown: Over[] = [];
    for (const [id, tab] of this.#tabs) {
      if (!ids.has(id)) continue;
      let coming: Over | null = null;
      for (const judged of tab.judged.values()) {
        const { page, url, over } = judged;
        if (page.is !== "proven" || !sameRealm(page.login.realm, realm)) continue;
        judged.page = NONE;
        if (!over) coming = { tab: id, url, page, coming: true };
      }
      if (coming !== null) shown.push(coming);
      if (tab.page.is === "proven" && tab.url !== null && sameRealm(tab.page.login.realm, realm)) {
        if (coming === null) shown.push({ tab: id, url: tab.url, page: tab.page, coming: false });
        this.#show(id, tab, tab.url, NONE);
      }
    }
    return shown;
  }

  closed(id: number): void {
    const tab = this.#tabs.get(id);
    if (tab === undefined) return;
    this.#tabs.delete(id);
    tab.held?.release({ cancel: true });
    tab.prepared?.waiter.fail("gone");
    this.#leave(tab.page);
    for (const judged of tab.judged.values()) this.#forget(judged);
  }

  all(): number[] {
    return [...this.#tabs.keys()];
  }

  /** Everything that there is to show. */
  view(id: number, logins: readonly Login[]): TabView {
    const tab = this.#tabs.get(id);
    const url = tab?.url ?? null;
    const origin = (url === null ? null : address(url)?.origin) ?? null;
    const busy = tab?.busy ?? false;
    const nothing = { login: null, ask: null, blocked: null, logins, busy, trusted: false };
    if (tab?.held) return { ...nothing, ...asks(tab.held.asked, true), origin };
    const blocked = url === null ? null : (this.#blocked.at(url, id)?.page ?? null);
    if (blocked !== null) {
      const status = isImpostor(blocked.why) ? "impostor" : "none";
      return { ...nothing, status, origin: blocked.origin, blocked };
    }
    const page = tab?.page ?? NONE;
    switch (page.is) {
      case "proven":
        return { ...nothing, status: "proven", origin, login: page.login, trusted: page.trusted };
      case "asked":
        return { ...nothing, ...asks(page.asked, false), origin };
      case "none":
        return { ...nothing, status: "none", origin };
    }
  }
}

function asks(asked: Asked, held: boolean): Pick<TabView, "status" | "ask" | "trusted"> {
  const { realm, reason, optional, username, known, target, trusted } = asked;
  const ask = { realm, reason, origin: target.origin, optional, username, known, held };
  return { status: "asked", ask, trusted };
}
