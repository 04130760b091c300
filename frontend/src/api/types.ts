import type { components } from "@/api/schema.gen";

type Schemas = components["schemas"];
/** Types that differ by direction carry a suffix in the OpenAPI description; these two look through it. */
type Answer<N extends string> = `${N}-Output` extends keyof Schemas
  ? Schemas[`${N}-Output`]
  : N extends keyof Schemas
    ? Schemas[N]
    : never;
type Question<N extends string> = `${N}-Input` extends keyof Schemas
  ? Schemas[`${N}-Input`]
  : N extends keyof Schemas
    ? Schemas[N]
    : never;

export type Value = Answer<"Value">;
export type Ref = Answer<"Ref">;
export type Expr = Answer<"Expr">;
export type ParameterSpec = Answer<"ParameterSpec">;
export type Kind = ParameterSpec["kinds"][number];
export type Port = Answer<"Port">;
export type Entry = Answer<"Entry">;
export type DatasetEntry = Answer<"DatasetEntry">;
export type Catalogue = Answer<"Catalogue">;
export type Help = Answer<"Help">;
export type Element = Answer<"Element">;

export type Document = Answer<"Document">;
export type Block = Answer<"Block">;
export type Member = Block["members"][number];
export type Graph = Answer<"Graph">;
export type GraphNode = Graph["nodes"][number];
export type InputExample = Answer<"InputExample">;
export type InitRule = Answer<"InitRule">;
export type ParameterInit = Answer<"ParameterInit">;

export type Report = Answer<"Report">;
export type NodeReport = Answer<"NodeReport">;
export type ModuleReport = Answer<"ModuleReport">;
export type Result = Answer<"Result">;
export type TensorType = Answer<"TensorType">;

export type ProblemCode = Answer<"ProblemCode">;
export type Problem = Answer<"Problem">;
export type Fix = Answer<"Fix">;
export type Edit = Answer<"Edit">;
export type ErrorBody = Answer<"ErrorBody">;
export type ErrorItem = Answer<"ErrorItem">;

export type Revision = Answer<"Revision">;
export type ExportFormat = Answer<"ExportFormat">;
export type ExportReport = Answer<"ExportReport">;

export type Plan = Answer<"Plan">;
export type NewPlan = Question<"Plan">;
export type Choice = Answer<"Choice">;
export type Head = Answer<"Head">;
export type ParameterGroup = Answer<"ParameterGroup">;
export type Transform = Answer<"Transform">;
export type TransformRequest = Question<"TransformRequest">;
export type Picture = Answer<"Picture">;
export type ImageReading = Answer<"ImageReading">;
export type NewRun = Question<"NewRun">;
export type Run = Answer<"Run">;
export type RunSummary = Answer<"RunSummary">;
export type RunPatch = Question<"RunPatch">;
export type Adjustment = Answer<"Adjustment">;
export type RunPage = Answer<"RunPage">;
export type RunState = RunSummary["state"];
export type Parity = Answer<"Parity">;
export type RateSearch = Answer<"RateSearch">;
export type ParityWay = Answer<"ParityWay">;
export type CarryReport = Answer<"CarryReport">;
export type Checkpoint = Answer<"Checkpoint">;
export type System = Answer<"System">;
export type Device = Answer<"Device">;
export type DatasetPreview = Answer<"DatasetPreview">;
export type DatasetDetails = Answer<"DatasetDetails">;
export type ColumnFacts = Answer<"ColumnFacts">;
export type RowProblem = Answer<"RowProblem">;
export type Reading = Answer<"Reading">;
export type TextReading = Answer<"TextReading">;
export type Network = Answer<"Network">;
export type NetworkSummary = Answer<"NetworkSummary">;
export type Example = Answer<"Example">;

export type SeriesPage = Answer<"SeriesPage">;
export type SeriesSlice = Answer<"SeriesSlice">;
export type RunEvent = Answer<"EventPage">["items"][number];
export type EventOf<K extends RunEvent["kind"]> = Extract<RunEvent, { kind: K }>;
export type LabReport = Answer<"LabReport">;
export type ImportRequest = Question<"ImportRequest">;
export type ImportAnswer = Answer<"ImportAnswer">;
export type LibraryNetwork = Answer<"LibraryNetwork">;
export type Outline = Answer<"Outline">;
export type SourceClass = Answer<"SourceClass">;
export type Fitting = Answer<"Fitting">;
export type FittingChange = Answer<"FittingChange">;
