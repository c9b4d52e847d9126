/** What the page says in place of an answer that was kept back. Pure. */

import { type Blocked, type BlockedPage, isImpostor } from "../shared/state.js";
import type { Text } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { clean, type OriginParts, splitOrigin } from "../ui/text.js";

/** Reason, in the four texts that each has. */
interface Texts {
  readonly title: Key;
  readonly happened: Key;
  readonly means: Key;
  readonly todo: Key;
}

const TEXTS: Readonly<Record<Blocked, Texts>> = {
  "wrong-proof": {
    title: "blocked_title_wrong_proof",
    happened: "blocked_happened_wrong_proof",
    means: "blocked_means_wrong_proof",
    todo: "blocked_do_wrong_proof",
  },
  "no-proof": {
    title: "blocked_title_no_proof",
    happened: "blocked_happened_no_proof",
    means: "blocked_means_no_proof",
    todo: "blocked_do_no_proof",
  },
  certificate: {
    title: "blocked_title_certificate",
    happened: "blocked_happened_certificate",
    means: "blocked_means_certificate",
    todo: "blocked_do_certificate",
  },
  scope: {
    title: "blocked_title_scope",
    happened: "blocked_happened_scope",
    means: "blocked_means_scope",
    todo: "blocked_do_scope",
  },
  downgrade: {
    title: "blocked_title_downgrade",
    happened: "blocked_happened_downgrade",
    means: "blocked_means_downgrade",
    todo: "blocked_do_downgrade",
  },
  protocol: {
    title: "blocked_title_protocol",
    happened: "blocked_happened_protocol",
    means: "blocked_means_protocol",
    todo: "blocked_do_protocol",
  },
  cached: {
    title: "blocked_title_cached",
    happened: "blocked_happened_cached",
    means: "blocked_means_cached",
    todo: "blocked_do_cached",
  },
  internal: {
    title: "blocked_title_internal",
    happened: "blocked_happened_internal",
    means: "blocked_means_internal",
    todo: "blocked_do_internal",
  },
};

export interface Words {
  readonly why: Blocked | "gone";
  readonly sign: "impostor" | "none";
  readonly title: Text;
  readonly origin: OriginParts | null;
  readonly who: Text | null;
  readonly happened: Text;
  readonly means: Text | null;
  readonly todo: Text | null;
  readonly retry: boolean;
  /** Which button comes first: the one that most people should press. */
  readonly first: "back" | "retry";
  /** Whether there is a login to forget before the page is opened without it. */
  readonly stranger: boolean;
  readonly details: { readonly url: string; readonly report: string } | null;
}

/** The words for what was kept back; null if the background page knows it no more. */
export function words(page: BlockedPage | null): Words {
  if (page === null) {
    return {
      why: "gone",
      sign: "none",
      title: { key: "blocked_gone_title" },
      origin: null,
      who: null,
      happened: { key: "blocked_gone_text" },
      means: null,
      todo: null,
      retry: false,
      first: "back",
      stranger: false,
      details: null,
    };
  }
  const texts = TEXTS[page.why];
  const harmless = !isImpostor(page.why);
  return {
    why: page.why,
    sign: harmless ? "none" : "impostor",
    title: { key: texts.title },
    origin: splitOrigin(page.origin),
    who:
      page.user === null || page.realm === null
        ? null
        : { key: "blocked_as", with: [clean(page.user), clean(page.realm.name)] },
    happened: { key: texts.happened },
    means: { key: texts.means },
    todo: { key: texts.todo },
    retry: page.retry,
    first: harmless && page.retry ? "retry" : "back",
    stranger: page.user !== null,
    details: { url: clean(page.url, 500), report: clean(page.detail, 300) },
  };
}
