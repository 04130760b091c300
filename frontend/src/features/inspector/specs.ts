/** Fields for what is no catalogue entry: a block's arguments, and the dtype and more of parameters and buffers. */
import type { Kind, ParameterSpec } from "@/api/types";
import type { Block } from "@/model/types";

const spec = (name: string, kinds: Kind[], more: Partial<ParameterSpec> = {}): ParameterSpec => ({
  name,
  kinds,
  required: false,
  default: null,
  nullable: false,
  choices: [],
  length: null,
  variadic: false,
  keyword: false,
  auto: false,
  minimum: null,
  doc: "",
  ...more,
});

const KINDS: { [type: string]: Kind } = { int: "int", float: "float", bool: "bool", str: "str" };

export const blockSpecs = (block: Block | undefined): ParameterSpec[] =>
  block?.arguments.map((argument) =>
    spec(argument.name, [KINDS[argument.type] ?? "list"], { required: argument.required, default: argument.default }),
  ) ?? [];

export const dtypeSpec = spec("dtype", ["dtype"], { default: { $dtype: "float32" } });
export const trainsSpec = spec("requires_grad", ["bool"], { default: true });
export const persistentSpec = spec("persistent", ["bool"], { default: true });
export const fillSpec = spec("fill", ["float", "choice"], { default: 0, choices: ["arange", "eye", "tril", "triu"] });
/** An argument of which only the name is known, so that there is no default to go back to. */
export const anySpec = (name: string): ParameterSpec => spec(name, ["any"], { required: true });
/** Which item of a dict is chosen, by one of its keys. */
export const keySpec = (choices: string[], doc: string): ParameterSpec =>
  spec("key", ["choice", "str"], { nullable: true, choices, doc });
