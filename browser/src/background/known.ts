/**
 * Where a login was proven once. Such a site does not ask for passwords in the old way: whoever does so in its place is
 * somebody else. Of private windows nothing is stored.
 */

import { PRIVATE_CONTEXT } from "./surroundings.js";

/** The most places that are remembered; the one that was used longest ago goes first. */
export const MOST = 1000;
const KEY = "known";

export interface Storage {
  get(key: string): Promise<Record<string, unknown>>;
  set(items: Record<string, unknown>): Promise<void>;
}

type Place = readonly [origin: string, realm: string];

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
    const others = (places: Place[]): Place[] =>
      places.filter(([known, name]) => known !== origin || name !== realm).slice(1 - MOST);
    if (context === PRIVATE_CONTEXT) {
      this.#passing = [...others(this.#passing), [origin, realm]];
      return;
    }
    const last = this.#places.at(-1);
    if (last !== undefined && last[0] === origin && last[1] === realm) return;
    this.#places = [...others(this.#places), [origin, realm]];
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
