import { create } from "zustand";

const KEY = "layerloom.recent";
const MOST = 6;

function stored(): string[] {
  try {
    const list: unknown = JSON.parse(localStorage.getItem(KEY) ?? "[]");
    return Array.isArray(list) ? list.filter((id) => typeof id === "string").slice(0, MOST) : [];
  } catch {
    return [];
  }
}

/** Ids of what was added last, newest first; kept between visits. */
export const useRecent = create<{ ids: string[] }>(() => ({ ids: stored() }));

export function remember(id: string): void {
  const ids = [id, ...useRecent.getState().ids.filter((it) => it !== id)].slice(0, MOST);
  useRecent.setState({ ids });
  try {
    localStorage.setItem(KEY, JSON.stringify(ids));
  } catch {
    // Storage may be full or forbidden; the list then lasts as long as the page.
  }
}
