/** Which browser tab this is. Drafts bear its id, so that two tabs never write into one another's. */

const KEY = "layerloom.tab";
const lock = (tab: string): string => `layerloom.tab.${tab}`;
/** A reloaded page lets go of its lock at about the time at which the new one asks for it. */
const RELOAD_MS = 300;

export const freshId = (): string => Math.random().toString(36).slice(2, 12);

let tab = "";

/** This tab's id, the same after a reload. */
export function thisTab(): string {
  tab ||= stored() ?? renew();
  return tab;
}

function stored(): string | null {
  try {
    return sessionStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function renew(): string {
  tab = freshId();
  try {
    sessionStorage.setItem(KEY, tab);
  } catch {
    // Without a session's storage the id lasts as long as the page.
  }
  return tab;
}

let claimed: Promise<void> | null = null;

/** Holds the id for as long as the page lives. A duplicated tab inherits its twin's, and takes one of its own. */
export function claimTab(): Promise<void> {
  claimed ??= claim();
  return claimed;
}

async function claim(): Promise<void> {
  if (await held(thisTab())) return;
  await held(renew());
}

function held(name: string): Promise<boolean> {
  const { locks } = navigator;
  // Browsers lend locks to pages from this machine or over https only; elsewhere tabs cannot know of one another.
  if (!locks) return Promise.resolve(true);
  return new Promise((resolve) => {
    const signal = AbortSignal.timeout(RELOAD_MS);
    const forever = () => {
      resolve(true);
      return new Promise<never>(() => undefined);
    };
    locks.request(lock(name), { signal }, forever).catch(() => resolve(false));
  });
}

/** Whether another open tab bears an id: what it works on is not to be taken from it. */
export async function livingTabs(): Promise<(tab: string) => boolean> {
  const { locks } = navigator;
  const { held: taken = [] } = locks ? await locks.query().catch(() => ({ held: [] })) : {};
  const names = new Set(taken.map((it) => it.name));
  return (other) => other !== thisTab() && names.has(lock(other));
}
