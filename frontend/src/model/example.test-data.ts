import { normalise } from "./normalise";

/** A small network as the service would send it: a chain of three layers, a function, and a classifier. */
export const digits = () =>
  normalise({
    format: 1,
    name: "Digits CNN",
    main: "DigitsCNN",
    inputs: { x: { shape: [1, 8, 8] } },
    blocks: {
      DigitsCNN: {
        members: [
          {
            kind: "layer",
            name: "conv",
            target: "torch.nn.Conv2d",
            arguments: { in_channels: { $auto: true }, out_channels: 16, kernel_size: 3, padding: 1 },
          },
          {
            kind: "layer",
            name: "batch_norm",
            target: "torch.nn.BatchNorm2d",
            arguments: { num_features: { $auto: true } },
          },
          { kind: "layer", name: "relu", target: "torch.nn.ReLU" },
          {
            kind: "layer",
            name: "fc",
            target: "torch.nn.Linear",
            arguments: { in_features: { $auto: true }, out_features: 10 },
          },
        ],
        forward: {
          inputs: [{ name: "x" }],
          nodes: [
            { op: "call", id: "n1", target: "conv", arguments: { input: { $ref: "x" } } },
            { op: "call", id: "n2", target: "batch_norm", arguments: { input: { $ref: "n1" } } },
            { op: "call", id: "n3", target: "relu", arguments: { input: { $ref: "n2" } } },
            { op: "function", id: "n4", target: "torch.flatten", arguments: { input: { $ref: "n3" }, start_dim: 1 } },
            { op: "call", id: "n5", target: "fc", arguments: { input: { $ref: "n4" } } },
          ],
          output: { $ref: "n5" },
        },
      },
    },
  });

export const MAIN = "DigitsCNN";

/** Short forms for documents that tests write down. */
export const linear = (name: string) => ({ kind: "layer", name, target: "torch.nn.Linear", arguments: {} });
export const alias = (name: string, of: string) => ({ kind: "alias", name, of });
export const use = (name: string, block: string) => ({ kind: "block", name, block });
export const holding = (kind: string, name: string, ...items: unknown[]) => ({ kind, name, items });
export const call = (id: string, target: string, from: string, path: (number | string)[] = [], input = "input") => ({
  op: "call",
  id,
  target,
  arguments: { [input]: { $ref: from, path } },
});
export const block = (members: unknown[], nodes: unknown[], output: unknown, inputs = ["x"]) => ({
  members,
  forward: { inputs: inputs.map((name) => ({ name })), nodes, output },
});
/** A document whose outermost block is `Net`. */
export const network = (
  net: unknown,
  more: { blocks?: object; code?: object; frozen?: string[]; init?: unknown[] } = {},
) => normalise({ ...more, main: "Net", blocks: { Net: net, ...more.blocks }, inputs: { x: { shape: [4] } } });
