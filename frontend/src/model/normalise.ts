/** From any JSON to a document in which every collection is present. What it means is for the server's check to judge. */
import type { Texts } from "@/i18n";
import type {
  Arguments,
  Block,
  Doc,
  GraphInput,
  GraphNode,
  InitRule,
  InputExample,
  Item,
  Layer,
  Member,
  ParameterInit,
  Value,
} from "./types";
import { choice } from "./values";

/** Why a text is no document. The sentences are in the dictionaries. */
export type Malformed = keyof Texts["editor"]["malformed"];

export class MalformedDocument extends Error {
  readonly code: Malformed;
  /** The kind that nobody knows, or the place that holds something else. */
  readonly what: string;

  constructor(code: Malformed, what = "") {
    super(what ? `${code}: ${what}` : code);
    this.name = "MalformedDocument";
    this.code = code;
    this.what = what;
  }
}

/** JSON of a text. @throws MalformedDocument */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new MalformedDocument("not_json");
  }
}

type Raw = { [key: string]: unknown };
const isRaw = (value: unknown): value is Raw => typeof value === "object" && value !== null && !Array.isArray(value);

function raw(value: unknown, what: string): Raw {
  if (!isRaw(value)) throw new MalformedDocument("not_object", what);
  return value;
}
const list = (value: unknown): unknown[] => (Array.isArray(value) ? value : []);
const text = (value: unknown, otherwise = ""): string => (typeof value === "string" ? value : otherwise);

/** References always carry their path; everything else stays as it was written. */
export function normaliseValue(value: unknown): Value {
  if (Array.isArray(value)) return value.map(normaliseValue);
  if (!isRaw(value)) return (value ?? null) as Value;
  if ("$ref" in value) return { $ref: text(value.$ref), path: list(value.path) as (number | string)[] };
  if ("$if" in value) return choice(text(value.$if), normaliseValue(value.then), normaliseValue(value.else));
  const out: Raw = {};
  for (const [key, item] of Object.entries(value))
    out[key] = isRaw(item) && key !== "$layer" ? mapRaw(item, normaliseValue) : normaliseNested(key, item);
  return out as Value;
}
const mapRaw = (value: Raw, change: (value: unknown) => unknown): Raw =>
  Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)]));
function normaliseNested(key: string, item: unknown): unknown {
  if (key === "$layer" && isRaw(item)) return { target: text(item.target), arguments: args(item.arguments) };
  return Array.isArray(item) ? item.map(normaliseValue) : item;
}
const args = (value: unknown): Arguments => (isRaw(value) ? (mapRaw(value, normaliseValue) as Arguments) : {});

const statement = (value: unknown): ParameterInit => {
  const it = raw(value, "init.statements");
  return { parameter: text(it.parameter, "*"), function: text(it.function), arguments: args(it.arguments) };
};
const statements = (value: unknown): ParameterInit[] => list(value).map(statement);

const parametrization = (value: unknown): Layer["parametrizations"][number] => {
  const it = raw(value, "parametrizations");
  return { function: text(it.function), arguments: args(it.arguments) };
};

const rule = (value: unknown): InitRule => {
  const it = raw(value, "init");
  return {
    types: list(it.types).map((type) => text(type)),
    name: text(it.name, "*"),
    order: it.order === "statements" ? "statements" : "parameters",
    statements: statements(it.statements),
  };
};

export function normaliseMember(value: unknown): Member | Item {
  const it = raw(value, "members");
  const name = text(it.name);
  const when = typeof it.when === "string" ? it.when : null;
  switch (it.kind) {
    case "layer":
      return {
        kind: "layer",
        name,
        target: text(it.target),
        arguments: args(it.arguments),
        init: statements(it.init),
        parametrizations: list(it.parametrizations).map(parametrization),
        when,
      };
    case "block":
      return { kind: "block", name, block: text(it.block), arguments: args(it.arguments), when };
    case "opaque":
      return {
        kind: "opaque",
        name,
        type: text(it.type),
        note: text(it.note),
        inputs: list(it.inputs).map((given) => {
          const one = raw(given, "inputs");
          return { name: text(one.name), keyword: one.keyword === true };
        }),
        tensors: entries(it.tensors, (tensor) => {
          const one = raw(tensor, "tensors");
          return { shape: list(one.shape).map(Number), dtype: text(one.dtype, "float32"), buffer: one.buffer === true };
        }),
        when,
      };
    case "parameter":
      return {
        kind: "parameter",
        name,
        shape: list(it.shape).map(normaliseValue),
        dtype: text(it.dtype, "float32"),
        requires_grad: it.requires_grad !== false,
        init: statements(it.init),
        when,
      };
    case "buffer":
      return {
        kind: "buffer",
        name,
        shape: list(it.shape).map(normaliseValue),
        dtype: text(it.dtype, "float32"),
        persistent: it.persistent !== false,
        fill: normaliseValue(it.fill ?? 0),
        when,
      };
    case "alias":
      return { kind: "alias", name, of: text(it.of) };
    case "repeat":
      return {
        kind: "repeat",
        variables: list(it.variables).map((variable) => text(variable)),
        over: { $expr: text(raw(it.over, "over").$expr) },
        item: normaliseMember(it.item) as Item,
      };
    case "sequential":
    case "module_list":
    case "module_dict":
    case "parameter_list":
    case "parameter_dict":
      return { kind: it.kind, name, items: list(it.items).map((item) => normaliseMember(item) as Item), when };
    default:
      throw new MalformedDocument("member_kind", String(it.kind));
  }
}

export function normaliseNode(value: unknown): GraphNode {
  const it = raw(value, "forward.nodes");
  const base = {
    id: text(it.id),
    name: typeof it.name === "string" ? it.name : null,
    when: typeof it.when === "string" ? it.when : null,
    target: text(it.target),
  };
  switch (it.op) {
    case "get":
      return { op: "get", ...base };
    case "choose":
      return { op: "choose", ...base, key: normaliseValue(it.key), arguments: args(it.arguments) };
    case "call":
    case "function":
    case "loop":
      return { op: it.op, ...base, arguments: args(it.arguments) };
    default:
      throw new MalformedDocument("node_kind", String(it.op));
  }
}

const graphInput = (value: unknown): GraphInput => {
  const it = raw(value, "forward.inputs");
  return { name: text(it.name), optional: it.optional === true };
};

function block(value: unknown): Block {
  const it = raw(value, "blocks");
  const forward = isRaw(it.forward) ? it.forward : {};
  return {
    doc: text(it.doc),
    version: typeof it.version === "number" ? it.version : 1,
    arguments: list(it.arguments).map((argument) => {
      const a = raw(argument, "arguments");
      return {
        name: text(a.name),
        type: text(a.type, "int") as Block["arguments"][number]["type"],
        default: normaliseValue(a.default),
        required: a.required === true,
      };
    }),
    members: list(it.members).map((member) => normaliseMember(member) as Member),
    forward: {
      inputs: list(forward.inputs).map(graphInput),
      nodes: list(forward.nodes).map(normaliseNode),
      output: normaliseValue(forward.output),
    },
  };
}

const example = (value: unknown): InputExample => {
  const it = raw(value, "inputs");
  return {
    shape: list(it.shape).map(Number),
    dtype: text(it.dtype, "float32"),
    batch: it.batch !== false,
    high: typeof it.high === "number" ? it.high : null,
  };
};

const entries = <T>(value: unknown, change: (value: unknown) => T): { [key: string]: T } =>
  isRaw(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, change(item)])) : {};

/** @throws MalformedDocument that says what is wrong. */
export function normalise(value: unknown): Doc {
  const it = raw(value, "document");
  if (!isRaw(it.blocks)) throw new MalformedDocument("no_blocks");
  if (typeof it.main !== "string") throw new MalformedDocument("no_main");
  const ui = isRaw(it.ui) ? it.ui : {};
  return {
    format: typeof it.format === "number" ? it.format : 1,
    name: text(it.name),
    main: it.main,
    blocks: entries(it.blocks, block),
    init: list(it.init).map(rule),
    frozen: list(it.frozen).map((pattern) => text(pattern)),
    inputs: entries(it.inputs, example),
    code: entries(it.code, (layer) => ({ source: text(raw(layer, "code").source) })),
    ui: {
      blocks: entries(ui.blocks, (view) => {
        const v = raw(view, "ui.blocks");
        return {
          positions: entries(v.positions, (at) => {
            const p = raw(at, "ui.blocks.positions");
            return { x: Number(p.x) || 0, y: Number(p.y) || 0 };
          }),
          collapsed: list(v.collapsed).map((id) => text(id)),
        };
      }),
    },
  };
}

/** A network with one input and nothing else. */
export function emptyDocument(name: string): Doc {
  return normalise({
    format: 1,
    name,
    main: "Network",
    blocks: { Network: { forward: { inputs: [{ name: "x" }], nodes: [], output: null } } },
    inputs: { x: { shape: [1, 8, 8] } },
    ui: { blocks: { Network: { positions: { "input:x": { x: 0, y: 0 }, output: { x: 0, y: 240 } } } } },
  });
}
