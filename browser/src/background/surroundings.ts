/** The little of the browser that judgement needs. `firefox.ts` has the real one; tests have their own. */

/** The details of the listeners of `webRequest`, as far as they are used. */
export interface Details {
  readonly requestId: string;
  readonly url: string;
  readonly method: string;
  readonly type: string;
  readonly tabId: number;
  readonly frameId: number;
  readonly cookieStoreId?: string | undefined;
  readonly originUrl?: string | undefined;
  readonly documentUrl?: string | undefined;
  readonly frameAncestors?: readonly { readonly url: string }[] | undefined;
  readonly thirdParty?: boolean | undefined;
}

export interface SendDetails extends Details {
  readonly requestHeaders?: browser.webRequest.HttpHeaders | undefined;
}

export interface ReceiveDetails extends Details {
  readonly statusCode: number;
  readonly fromCache?: boolean | undefined;
  readonly responseHeaders?: browser.webRequest.HttpHeaders | undefined;
}

/** What a listener answers. */
export type Answer = browser.webRequest.BlockingResponse;

/** The default container. */
export const DEFAULT_CONTEXT = "firefox-default";
/** All private windows. */
export const PRIVATE_CONTEXT = "firefox-private";

export interface Surroundings {
  /** The address of a page of this extension. */
  page(path: string): string;
  /** The certificate of the server, from inside of the listener for headers. Rejects if there is none. */
  certificate(requestId: string): Promise<Certificate>;
  fetch(url: string, init: RequestInit): Promise<Response>;
  /** The container and the address of a tab. Rejects if it is gone. */
  tab(tab: number): Promise<{ readonly context: string; readonly url: string | undefined }>;
  /** Sends a tab to an address; by `replace` in the place of what it shows, so that Back leads past it. */
  loadTab(tab: number, url: string, replace?: boolean): Promise<void>;
  /** Empties a tab. Resolves when what it showed is gone. */
  blankTab(tab: number): Promise<void>;
  /** What all tabs of a container show. */
  documents(context: string): Promise<readonly Documents[]>;
  reloadTab(tab: number): Promise<void>;
  /** Opens the popup, if the tab is in front. */
  openPopup(tab: number): Promise<void>;
  /** Forgets copies of hosts' answers; and, if wanted, their service workers. */
  clearCache(hosts: readonly string[], workers: boolean): Promise<void>;
}

/** A server's certificate. */
export interface Certificate {
  readonly der: Uint8Array;
  /** False if Firefox takes it only because the user has made an exception: it may be anybody's. */
  readonly trusted: boolean;
}

/** What a tab shows: the address of its page, and then of everything in it. */
export interface Documents {
  readonly tab: number;
  readonly urls: readonly string[];
}

/** The context of a request. */
export function contextOf(details: Details): string {
  return details.cookieStoreId ?? DEFAULT_CONTEXT;
}
