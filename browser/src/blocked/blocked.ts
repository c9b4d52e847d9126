/** The page shown instead of an answer that was kept back. Its address carries, after `#`, the id by which it asks what happened. */

import { type Answer, ask, type Failure } from "../shared/messages.js";
import { byId, mark, setText, show } from "../ui/dom.js";
import { localize, say, t } from "../ui/i18n.js";
import type { Key } from "../ui/keys.js";
import { type Words, words } from "./words.js";

/** What a button of this page can fail with that has another text than in general. */
const FAILED: Partial<Record<Failure, Key>> = {
  network: "failure_network",
  wait: "failure_wait",
  gone: "blocked_gone_text",
};

/** How long the buttons rest, in milliseconds: the second click of two was meant for the page before. */
const REST = 500;

const id = decodeURIComponent(location.hash.slice(1));

function draw(shown: Words): void {
  document.title = say(shown.title);
  const sign = `../icons/${shown.sign}.svg`;
  byId("icon", HTMLLinkElement).href = sign;
  byId("sign", HTMLImageElement).src = sign;
  setText("title", say(shown.title));
  show("asked", shown.origin !== null);
  setText("address-scheme", shown.origin?.scheme ?? "");
  setText("address-host", shown.origin?.host ?? "");
  setText("address-port", shown.origin?.port ?? "");
  show("who", shown.who !== null);
  setText("who", shown.who === null ? "" : say(shown.who));
  setText("happened", say(shown.happened));
  show("means-section", shown.means !== null);
  setText("means", shown.means === null ? "" : say(shown.means));
  show("do-section", shown.todo !== null);
  setText("do", shown.todo === null ? "" : say(shown.todo));
  setText("back", t(canGoBack() ? "blocked_back" : "blocked_close"));
  show("retry", shown.retry);
  if (shown.first === "retry") putFirst("retry", "back");
  show("more", shown.details !== null);
  setText("url", shown.details?.url ?? "");
  setText("code", shown.why);
  setText("report", shown.details?.report ?? "");
  show("stranger", shown.stranger);
  show("stranger-warning", shown.stranger);
  mark("blocked", "why", shown.why);
  show("blocked", true);
  mark("blocked", "ready", "true");
}

/** Makes one button the first and coloured one. */
function putFirst(first: string, second: string): void {
  const button = byId(first, HTMLButtonElement);
  const other = byId(second, HTMLButtonElement);
  other.before(button);
  button.classList.add("primary");
  other.classList.remove("primary");
}

function canGoBack(): boolean {
  return history.length > 1;
}

/** Back to the page before; where there is none, the tab is of no use any more. */
async function back(): Promise<void> {
  if (canGoBack()) {
    history.back();
    return;
  }
  const tab = await browser.tabs.getCurrent();
  if (tab?.id !== undefined) await browser.tabs.remove(tab.id);
}

/** Asks for something that takes this page away; says so if it did not. */
async function leave(wish: Promise<Answer<null>>): Promise<void> {
  setDisabled(true);
  show("failure", false);
  let failure: Failure | null = null;
  try {
    const answer = await wish;
    if (!answer.ok) failure = answer.failure;
  } catch {
    failure = "internal";
  }
  setDisabled(false);
  if (failure === null) return;
  setText("failure", t(FAILED[failure] ?? "failure_internal"));
  show("failure", true);
}

function setDisabled(disabled: boolean): void {
  for (const button of document.querySelectorAll("button")) button.disabled = disabled;
}

async function main(): Promise<void> {
  localize(document);
  if (window.top !== window) {
    // Inside a page of somebody else: no buttons, which that page could make the user press unknowingly.
    show("part", true);
    return;
  }
  byId("back", HTMLButtonElement).addEventListener("click", () => void back());
  byId("retry", HTMLButtonElement).addEventListener("click", () => void leave(ask({ kind: "retry", id })));
  byId("stranger", HTMLButtonElement).addEventListener(
    "click",
    () => void leave(ask({ kind: "openAsStranger", id })),
  );
  setDisabled(true);
  try {
    const answer = await ask({ kind: "blocked", id });
    draw(words(answer.ok ? answer.value : null));
  } catch {
    draw(words(null));
  }
  setTimeout(() => setDisabled(false), REST);
  byId("title", HTMLElement).focus();
  // Another page was kept back.
  window.addEventListener("hashchange", () => location.reload());
}

void main();
