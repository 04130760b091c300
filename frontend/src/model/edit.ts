/** Edits of members, inputs and document-wide settings: what the inspector does. */
import { insertItem } from "./arrange";
import { changeBlock, changeView } from "./graph";
import { changeMember, mapMember } from "./members";
import { unique } from "./names";
import { rearrange } from "./paths";
import type { Arguments, Block, Doc, InitRule, InputExample, Item, Member, ParameterInit, Value } from "./types";

type WithArguments = Extract<Member, { arguments: Arguments }>;
type WithInit = Extract<Member, { init: ParameterInit[] }>;
const holdsArguments = (member: Member | Item): member is WithArguments => "arguments" in member;

/** A repeat is edited through: what it repeats changes. */
const through = (member: Member | Item, change: (member: Member | Item) => Member | Item): Member | Item =>
  member.kind === "repeat" ? { ...member, item: through(member.item, change) as Item } : change(member);

export function updateMember(doc: Doc, block: string, path: string, change: (it: Member | Item) => Member | Item): Doc {
  return changeBlock(doc, block, (it) => changeMember(it, path, (member) => through(member, change)));
}

/** Sets a constructor argument; `undefined` returns it to torch's default. */
export function setMemberArgument(doc: Doc, block: string, path: string, name: string, value: Value | undefined): Doc {
  return updateMember(doc, block, path, (member) => {
    if (!holdsArguments(member)) return member;
    const { [name]: _, ...others } = member.arguments;
    return { ...member, arguments: value === undefined ? others : { ...member.arguments, [name]: value } };
  });
}

/** How one parameter of a member is initialized; `null` leaves it to torch. */
export function setInit(
  doc: Doc,
  block: string,
  path: string,
  parameter: string,
  init: Omit<ParameterInit, "parameter"> | null,
): Doc {
  return updateMember(doc, block, path, (member) => {
    if (!("init" in member)) return member;
    const it: WithInit = member;
    const at = it.init.findIndex((statement) => statement.parameter === parameter);
    const next = init === null ? [] : [{ parameter, ...init }];
    const statements = at < 0 ? [...it.init, ...next] : [...it.init.slice(0, at), ...next, ...it.init.slice(at + 1)];
    return { ...it, init: statements };
  });
}

export function addItem(doc: Doc, block: string, path: string, item: Item, index?: number): Doc {
  return rearrange(doc, block, (it) => insertItem(it, path, index ?? Number.MAX_SAFE_INTEGER, item));
}

export function setInputExample(doc: Doc, name: string, example: Partial<InputExample>): Doc {
  const before = doc.inputs[name] ?? { shape: [], dtype: "float32", batch: true, high: null };
  return { ...doc, inputs: { ...doc.inputs, [name]: { ...before, ...example } } };
}

export const setInputOptional = (doc: Doc, block: string, name: string, optional: boolean): Doc =>
  changeBlock(doc, block, (it) => ({
    ...it,
    forward: {
      ...it.forward,
      inputs: it.forward.inputs.map((input) => (input.name === name ? { ...input, optional } : input)),
    },
  }));

export const setRules = (doc: Doc, init: InitRule[]): Doc => ({ ...doc, init });
export const setFrozen = (doc: Doc, frozen: string[]): Doc => ({ ...doc, frozen });
export const renameDocument = (doc: Doc, name: string): Doc => (name === doc.name ? doc : { ...doc, name });

export const toggleCollapsed = (doc: Doc, block: string, id: string): Doc =>
  changeView(doc, block, (view) => ({
    ...view,
    collapsed: view.collapsed.includes(id) ? view.collapsed.filter((it) => it !== id) : [...view.collapsed, id],
  }));

/** A new, empty block with one input, under a free class name. */
export function addBlock(doc: Doc, wanted: string): { doc: Doc; name: string } {
  const name = unique(wanted, new Set(Object.keys(doc.blocks)));
  const block: Block = {
    doc: "",
    version: 1,
    arguments: [],
    members: [],
    forward: { inputs: [{ name: "x", optional: false }], nodes: [], output: { $ref: "x", path: [] } },
  };
  const view = { positions: { "input:x": { x: 0, y: 0 }, output: { x: 0, y: 240 } }, collapsed: [] };
  return {
    doc: { ...doc, blocks: { ...doc.blocks, [name]: block }, ui: { blocks: { ...doc.ui.blocks, [name]: view } } },
    name,
  };
}

/** Renames a block's class; every use follows. */
export function renameBlock(doc: Doc, from: string, to: string): Doc {
  if (from === to || doc.blocks[to] || !doc.blocks[from]) return doc;
  const use = (it: Member | Item) => (it.kind === "block" && it.block === from ? { ...it, block: to } : it);
  const blocks = Object.entries(doc.blocks).map(([name, block]): [string, Block] => [
    name === from ? to : name,
    { ...block, members: block.members.map((member) => mapMember(member, use)) },
  ]);
  const views = Object.entries(doc.ui.blocks).map(([name, view]) => [name === from ? to : name, view]);
  return {
    ...doc,
    main: doc.main === from ? to : doc.main,
    blocks: Object.fromEntries(blocks),
    ui: { blocks: Object.fromEntries(views) },
  };
}

/** What a network is, without how it is drawn: equal for documents that differ only in positions. */
export function semantic(doc: Doc): Omit<Doc, "ui"> {
  const { ui: _, ...rest } = doc;
  return rest;
}

/**
 * These rules alone decide: every layer is as torch makes it but for them. Bare parameters, which torch does not fill,
 * keep their initializers.
 */
export function initializeBy(doc: Doc, init: InitRule[]): Doc {
  const plain = (it: Member | Item) => (it.kind === "layer" && it.init.length > 0 ? { ...it, init: [] } : it);
  const blocks = Object.entries(doc.blocks).map(
    ([name, block]) => [name, { ...block, members: block.members.map((it) => mapMember(it, plain)) }] as const,
  );
  return { ...doc, blocks: Object.fromEntries(blocks), init };
}
