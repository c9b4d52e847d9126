/** Answers that were kept from the user: what the page that is shown instead says of each. */

import type { Failure } from "../shared/messages.js";
import { type Blocked, type BlockedPage, isImpostor, type Login, type Realm } from "../shared/state.js";
import { address } from "./site.js";
import type { Details } from "./surroundings.js";
import { contextOf } from "./surroundings.js";

const PAGE = "blocked/blocked.html";
/** The most that are remembered; the oldest goes first. */
const MOST = 200;

export interface Entry {
  readonly page: BlockedPage;
  readonly context: string;
  readonly tab: number;
}

/** What the popup says of a login that ended so. */
export function failureOf(why: Blocked): Failure {
  return isImpostor(why) ? "impostor" : "internal";
}

export class BlockedPages {
  readonly #entries = new Map<string, Entry>();
  readonly #page: (path: string) => string;

  constructor(page: (path: string) => string) {
    this.#page = page;
  }

  /** Remembers an answer that is not shown; gives the address of the page that says so. */
  add(details: Details, why: Blocked, detail: string, of: Login | Realm | null): string {
    const id = crypto.randomUUID();
    const login = of !== null && "user" in of ? of : null;
    const realm = login !== null ? login.realm : (of as Realm | null);
    const entry: Entry = {
      page: {
        why,
        url: details.url,
        origin: address(details.url)?.origin ?? "",
        realm,
        user: login?.user ?? null,
        detail,
        retry: details.method === "GET",
      },
      context: contextOf(details),
      tab: details.tabId,
    };
    const oldest = this.#entries.keys().next();
    if (this.#entries.size >= MOST && oldest.done !== true) this.#entries.delete(oldest.value);
    this.#entries.set(id, entry);
    return `${this.#page(PAGE)}#${id}`;
  }

  /** What is behind an id, if it was made for this tab. */
  find(id: string, tab: number): Entry | null {
    const entry = this.#entries.get(id);
    return entry?.tab === tab ? entry : null;
  }

  /** The same by the address of the page. */
  at(url: string, tab: number): Entry | null {
    const [page, id] = url.split("#");
    return page === this.#page(PAGE) && id !== undefined ? this.find(id, tab) : null;
  }
}
