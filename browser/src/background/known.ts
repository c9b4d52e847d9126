/**
 * Where a login was proven once. Such a site does not ask for passwords in the old way: whoever does so in its place is
 * somebody else. Of private windows nothing is stored.
 */

import { PRIVATE_CONTEXT } from "./surroundings.js";

/** The most places that are remembered; see {@link makeRoom} for who goes. */
export const MOST = 1000;
const KEY = "known";

export interface Storage {
  get(key: string): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
}

type Place = readonly [origin: string, realm: string];

/**
 * One place less. Whoever has most of them loses one, so that nobody washes out the memory of another with hosts of his own:
 * of all places the largest domain is taken, in that its largest subdomain, and so on; there, what was used longest ago.
 */
export function makeRoom(places: readonly Place[]): Place[] {
  let left = places;
  for (let depth = 1; left.length > 0; depth++) {
    const groups = new Map<string, Place[]>();
    for (const place of left) {
      const domain = domainOf(place[0], depth);
      const group = groups.get(domain) ?? [];
      group.push(place);
      groups.set(domain, group);
    }
    const largest = [...groups.values()].reduce((most, group) => (group.length > most.length ? group : most));
    const isDeepest = largest.length === left.length && largest.every(([origin]) => labels(origin).length <= depth);
    if (largest.length === 1 || isDeepest) break;
    left = largest;
  }
  return places.filter(place => place !== left[0]);
}

/** The last labels of an origin's host. An address in numbers is one label. */
function domainOf(origin: string, depth: number): string {
  return labels(origin).slice(-depth).join(".");
}

function labels(origin: string): string[] {
  const host = /^\w+:\/\/(\[[^\]]*\]|[^:/]*)/.exec(origin)?.[1] ?? origin;
  return /^\[|^[\d.]+$/.test(host) ? [host] : host.split(".");
}

export class Known {
  readonly #storage: Storage;
  #places: Place[] = [];
  /** Of private windows, until the last is closed. */
  #passing: Place[] = [];
  #loading: Promise<void> | null = null;
  #writing: Promise<void> = Promise.resolve();

  constructor(storage: Storage) {
    this.#storage = storage;
  }

  /** Resolves when what was stored is there. */
  ready(): Promise<void> {
    this.#loading ??= this.#load();
    return this.#loading;
  }

  async #load(): Promise<void> {
    const found = (await this.#storage.get(KEY))[KEY];
    if (!Array.isArray(found)) return;
    const isPlace = (item: unknown): item is Place =>
      Array.isArray(item) && item.length === 2 && item.every(part => typeof part === "string");
    this.#places = [...found.filter(isPlace), ...this.#places].slice(-MOST);
  }

  /** Whether anybody was proven at an origin. */
  async has(origin: string): Promise<boolean> {
    await this.ready();
    return [...this.#places, ...this.#passing].some(([known]) => known === origin);
  }

  /** Whether anybody was proven at an origin in a realm of this name. */
  async hasRealm(origin: string, realm: string): Promise<boolean> {
    await this.ready();
    return [...this.#places, ...this.#passing].some(([known, name]) => known === origin && name === realm);
  }

  add(context: string, origin: string, realm: string): void {
    const including = (places: Place[]): Place[] => {
      const others = places.filter(([known, name]) => known !== origin || name !== realm);
      return [...(others.length < MOST ? others : makeRoom(others)), [origin, realm]];
    };
    if (context === PRIVATE_CONTEXT) {
      this.#passing = including(this.#passing);
      return;
    }
    const last = this.#places.at(-1);
    if (last !== undefined && last[0] === origin && last[1] === realm) return;
    this.#places = including(this.#places);
    this.#store();
  }

  /** The user wants to go there as a stranger all the same. */
  async forget(origin: string): Promise<void> {
    await this.ready();
    this.#places = this.#places.filter(([known]) => known !== origin);
    this.#passing = this.#passing.filter(([known]) => known !== origin);
    this.#store();
    await this.#writing;
  }

  /** The last private window is closed. */
  forgetPrivate(): void {
    this.#passing = [];
  }

  #store(): void {
    // One after the other, and what was stored before is there by then.
    this.#writing = this.#writing
      .then(() => this.ready())
      .then(() => this.#storage.set({ [KEY]: this.#places }))
      .catch(() => {});
  }
}
