import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { api } from "@/api/client";
import type { Example } from "@/api/types";
import { DEFAULTS, planOf, rememberPlan, useRemembered } from "@/features/train/settings";
import { renameDocument } from "@/model/edit";
import { emptyDocument, MalformedDocument } from "@/model/normalise";
import { apply, currentDoc, useDocument } from "@/model/store";
import type { Doc } from "@/model/types";
import { drafts } from "./drafts";
import { leftDrafts, openAtStart, openCopy, openDraft, openExample, openNetwork } from "./project";
import { save, saveAnyway, saveToLeave, settleConflict } from "./save";
import { standing, useProject } from "./store";

const example = (name: string, epochs: number) =>
  ({ document: emptyDocument(name), plan: { ...DEFAULTS, dataset: "digits", epochs } }) as unknown as Example;

/** The service, as far as networks go. Its answers wait while it is `slow`, and nothing arrives while it is `down`. */
function service() {
  const networks = new Map<string, { revision: number; document: Doc }>();
  const waiting: (() => void)[] = [];
  const state = {
    networks,
    slow: false,
    down: false,
    saves: 0,
    release: () => {
      for (const go of waiting.splice(0)) go();
    },
  };
  const answer = (status: number, data?: unknown, code?: string) => ({
    ...(data === undefined ? { error: { code, title: code, detail: code, errors: [] } } : { data }),
    response: new Response(null, { status }),
  });
  const arrive = async () => {
    if (state.slow) await new Promise<void>((resolve) => waiting.push(resolve));
    if (state.down) throw new TypeError("offline");
  };
  const stored = (id: string) => ({ id, name: "", updated_at: 0, ...networks.get(id) });
  vi.spyOn(api, "GET").mockImplementation((async (
    path: string,
    options?: { params: { path: { network_id: string } } },
  ) => {
    await arrive();
    if (path === "/api/examples") return answer(200, [example("example", 20)]);
    const id = options?.params.path.network_id ?? "";
    return networks.has(id) ? answer(200, stored(id)) : answer(404, undefined, "not_found");
  }) as unknown as typeof api.GET);
  vi.spyOn(api, "POST").mockImplementation((async (_: string, { body }: { body: { document: Doc } }) => {
    state.saves += 1;
    await arrive();
    const id = `net${networks.size + 1}`;
    networks.set(id, { revision: 1, document: body.document });
    return answer(201, stored(id));
  }) as unknown as typeof api.POST);
  type Put = { params: { path: { network_id: string }; header: { "if-match": string } }; body: { document: Doc } };
  vi.spyOn(api, "PUT").mockImplementation((async (_: string, { params, body }: Put) => {
    state.saves += 1;
    await arrive();
    const id = params.path.network_id;
    const revision = networks.get(id)?.revision ?? 0;
    if (params.header["if-match"] !== `"${revision}"`) return answer(412, undefined, "stale_revision");
    networks.set(id, { revision: revision + 1, document: body.document });
    return answer(200, stored(id));
  }) as unknown as typeof api.PUT);
  return state;
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 0));
const type = (name: string) => {
  apply("type", (doc) => renameDocument(doc, name));
  useProject.setState(({ saved }) => (saved === "conflict" ? {} : { saved: "unsaved" }));
};
const state = () => useProject.getState();
const unsaved = () => drafts().filter((draft) => draft.dirty);
/** A page that is loaded anew: what it held in memory is gone. */
const reload = () => {
  useDocument.setState({ loaded: false });
  useProject.setState({ network: null, revision: 0, saved: "saved", draft: "", kept: true, theirs: null });
};

let remote: ReturnType<typeof service>;
beforeEach(() => {
  localStorage.clear();
  sessionStorage.clear();
  reload();
  remote = service();
});
afterEach(() => vi.restoreAllMocks());

describe("saving", () => {
  it("sends one state at a time, whoever asks, and ends with the last", async () => {
    openCopy(emptyDocument("0"), true);
    remote.slow = true;
    const saves = [save()];
    type("1");
    saves.push(save());
    type("2");
    saves.push(save());
    while (saves.length > 0 && state().saved !== "saved") {
      remote.release();
      await soon();
    }
    await Promise.all(saves);
    expect([...remote.networks.values()]).toMatchObject([{ revision: 2, document: { name: "2" } }]);
    expect(remote.saves).toBe(2);
    expect(state()).toMatchObject({ saved: "saved", revision: 2 });
  });

  it("settles the draft of a document that was left while it was sent", async () => {
    openCopy(emptyDocument("first"), true);
    remote.slow = true;
    const saving = save();
    openCopy(emptyDocument("second"));
    expect(unsaved()).toHaveLength(1);
    remote.release();
    await saving;
    expect(unsaved()).toEqual([]);
    expect(currentDoc().name).toBe("second");
  });

  it("lets what was edited after it was sent go on from the revision that it became", async () => {
    openCopy(emptyDocument("first"), true);
    remote.slow = true;
    const saving = save();
    type("edited");
    openCopy(emptyDocument("second"));
    remote.release();
    await saving;
    expect(unsaved()).toMatchObject([{ network: "net1", revision: 1, document: { name: "edited" } }]);
  });

  it("is claimed only of what the service has", async () => {
    openCopy(emptyDocument("example"));
    await save();
    expect(remote.saves).toBe(0);
    expect(standing(state())).toBe("untouched");
    await saveAnyway();
    expect([...remote.networks.values()]).toMatchObject([{ document: { name: "example" } }]);
    expect(standing(state())).toBe("saved");
  });

  it("keeps only a pointer of what the service has", async () => {
    openCopy(emptyDocument("mine"), true);
    await save();
    expect(drafts()).toMatchObject([{ network: "net1", dirty: false, document: null }]);
  });

  it("says when the browser has no room for a draft", () => {
    openCopy(emptyDocument("small"), true);
    const full = () => {
      throw new DOMException("full", "QuotaExceededError");
    };
    vi.stubGlobal("localStorage", { getItem: () => null, setItem: full, removeItem: () => undefined });
    openCopy(emptyDocument("large"), true);
    vi.unstubAllGlobals();
    expect(state().kept).toBe(false);
  });
});

describe("leaving", () => {
  it("keeps what the service did not take, and finds it again", async () => {
    openCopy(emptyDocument("mine"), true);
    type("hours of work");
    remote.down = true;
    expect(await saveToLeave()).toBe("kept");
    openCopy(emptyDocument("new"));
    openCopy(emptyDocument("another"), true);
    const [left] = await leftDrafts();
    expect(left?.document.name).toBe("hours of work");
    await openDraft(left as NonNullable<typeof left>);
    expect(currentDoc().name).toBe("hours of work");
    expect(await leftDrafts()).toMatchObject([{ document: { name: "another" } }]);
  });

  it("does not happen for a file that holds no network", () => {
    openCopy(emptyDocument("keep me"), true);
    expect(() => openCopy({ nonsense: 1 }, true)).toThrow(MalformedDocument);
    expect(unsaved()).toMatchObject([{ document: { name: "keep me" } }]);
  });
});

describe("starting", () => {
  it("shows the first example, and after a reload the same document", async () => {
    await openAtStart();
    expect(currentDoc().name).toBe("example");
    type("edited");
    openCopy(currentDoc(), true);
    reload();
    await openAtStart();
    expect(currentDoc().name).toBe("edited");
    expect(state().saved).toBe("unsaved");
  });

  it("takes up what a lost tab left", async () => {
    openCopy(emptyDocument("lost"), true);
    sessionStorage.clear();
    reload();
    await openAtStart();
    expect(currentDoc().name).toBe("lost");
  });

  it("reads drafts as older versions wrote them", async () => {
    const old = { network: null, revision: 0, dirty: true, document: emptyDocument("old") };
    localStorage.setItem("layerloom.draft.new", JSON.stringify(old));
    await openAtStart();
    expect(currentDoc().name).toBe("old");
  });

  it("reaches unsaved changes while the service is down", async () => {
    openCopy(emptyDocument("mine"), true);
    await save();
    type("changed");
    remote.down = true;
    await save();
    reload();
    await openAtStart();
    expect(currentDoc().name).toBe("changed");
    expect(state()).toMatchObject({ network: "net1", revision: 1, saved: "unsaved" });
  });
});

describe("a plan", () => {
  const epochs = () => planOf(useRemembered.getState(), state())?.epochs;

  it("stays with its network, and tells another one nothing", async () => {
    openExample(example("forked", 1));
    type("forked and edited");
    rememberPlan(state(), { ...DEFAULTS, dataset: "digits", epochs: 2 });
    openExample(example("other", 7));
    expect(epochs()).toBe(7);
    openCopy(emptyDocument("empty"));
    expect(epochs()).toBeUndefined();
  });

  it("goes along when its draft becomes a network, also while another one is opened", async () => {
    openCopy(emptyDocument("mine"), true);
    rememberPlan(state(), { ...DEFAULTS, dataset: "digits", epochs: 2 });
    remote.slow = true;
    const saving = save();
    openCopy(emptyDocument("other"));
    remote.release();
    await saving;
    remote.slow = false;
    expect(epochs()).toBeUndefined();
    await openNetwork("net1");
    expect(epochs()).toBe(2);
  });

  it("is there after the page is loaded anew", async () => {
    openExample(example("mine", 7));
    reload();
    const kept = localStorage.getItem("layerloom.train") ?? "";
    useRemembered.setState({ plans: {} });
    localStorage.setItem("layerloom.train", kept);
    await useRemembered.persist.rehydrate();
    await openAtStart();
    expect([currentDoc().name, epochs()]).toEqual(["mine", 7]);
  });

  it("of an earlier version, which was one for all, is forgotten", async () => {
    const stored = { state: { settings: { ...DEFAULTS, epochs: 99 }, dataset: "wine" }, version: 1 };
    localStorage.setItem("layerloom.train", JSON.stringify(stored));
    await useRemembered.persist.rehydrate();
    expect(useRemembered.getState()).toEqual({ plans: {}, dataset: "wine" });
  });

  it("makes room for newer ones, and the one that is used stays", () => {
    for (let index = 0; index < 200; index++) {
      rememberPlan({ draft: `d${index}`, network: null }, { ...DEFAULTS, dataset: "digits", epochs: index });
      rememberPlan({ draft: "d0", network: null }, { ...DEFAULTS, dataset: "digits", epochs: 1000 });
    }
    const { plans } = useRemembered.getState();
    expect(Object.keys(plans).length).toBe(64);
    expect([plans.d0?.epochs, plans.d199?.epochs, plans.d1]).toEqual([1000, 199, undefined]);
  });
});

describe("conflicts", () => {
  const theirs = (name: string) => remote.networks.set("net1", { revision: 5, document: emptyDocument(name) });
  beforeEach(async () => {
    openCopy(emptyDocument("mine"), true);
    await save();
  });

  it("leave no stale draft behind when mine becomes a network apart", async () => {
    theirs("theirs");
    type("changed");
    await save();
    expect(state().saved).toBe("conflict");
    await settleConflict("copy");
    expect(state()).toMatchObject({ network: "net2", saved: "saved" });
    expect(unsaved()).toEqual([]);
    await openNetwork("net1");
    expect(state().saved).toBe("saved");
    expect(currentDoc().name).toBe("theirs");
  });

  it("are none where both documents are the same", async () => {
    theirs("same");
    type("same");
    await save();
    expect(state()).toMatchObject({ saved: "saved", revision: 5 });
  });

  it("are none after a save whose answer was lost with the page", async () => {
    type("sent");
    remote.slow = true;
    void save();
    await soon();
    reload();
    remote.slow = false;
    theirs("sent");
    await openAtStart();
    expect(state()).toMatchObject({ saved: "saved", revision: 5 });
    remote.release();
  });

  it("are not shown for a document that was left while the newer version was fetched", async () => {
    theirs("theirs");
    type("changed");
    const saving = save();
    await soon();
    openCopy(emptyDocument("elsewhere"));
    await saving;
    expect(state().saved).toBe("saved");
  });
});
