/** The document's types under the names that the model uses: the service's own, with every collection present. */
import type { components } from "@/api/schema.gen";
import type * as api from "@/api/types";

type Schemas = components["schemas"];

export type Value = api.Value;
export type Ref = api.Ref;
export type Path = Ref["path"];
export type Arguments = { [name: string]: Value };
export type ParameterInit = api.ParameterInit;
export type InitRule = api.InitRule;

export type Member = api.Member;
export type Container = Extract<Member, { items: unknown }>;
export type ContainerKind = Container["kind"];
export type Item = Container["items"][number];
export type Repeat = Extract<Item, { kind: "repeat" }>;
export type Layer = Extract<Member, { kind: "layer" }>;
export type BlockUse = Extract<Member, { kind: "block" }>;

export type Block = api.Block;
export type Graph = api.Graph;
export type GraphNode = api.GraphNode;
export type GraphInput = Graph["inputs"][number];
export type InputExample = api.InputExample;
export type BlockView = Schemas["BlockView-Output"];
export type Position = Schemas["Position"];
/** A network as a person draws it. Named so because `Document` is the browser's. */
export type Doc = api.Document;
