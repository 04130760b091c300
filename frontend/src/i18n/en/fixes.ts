/**
 * What the service offers as mends, word for word: by these its titles are known again in other languages. Of two that
 * fit one title the first is taken.
 */
export const fixes = {
  weightsOnly: "Use it for weights only",
  reshape: "Use reshape, which copies where view cannot",
  disconnect: "Disconnect it",
  chosen: "Let a name be chosen",
  channelAxis: "Add a channel axis",
  resize: "Resize it to the size of the other",
  transposeFirst: "Transpose the first factor",
  transposeSecond: "Transpose the second factor",
  output: "Make it an output",
  mainBlock: (name: string) => `Make ${name} the main block`,
  argument: (name: string, block: string) => `Make ${name} an argument of ${block}`,
  inputType: (name: string, dtype: string) => `Make the input ${name} ${dtype}`,
  determined: (name: string) => `Let the input determine ${name}`,
  flattenAndSet: (size: string, name: string) => `Flatten the input to ${size} features and set ${name}`,
  flatten: (size: string) => `Flatten the input to ${size} features`,
  convert: (dtype: string) => `Convert to ${dtype} first`,
  channelsFirst: (call: string) => `Move the channels to the front: ${call}`,
  featuresLast: (call: string) => `Move the features to the end: ${call}`,
  shortcut: (layer: string) => `Project the shortcut with a ${layer}`,
  pad: (size: string) => `Pad it to ${size}`,
  crop: (size: string) => `Crop it to ${size}`,
  join: (axis: string) => `Join along axis ${axis}`,
  setBoth: (name: string, value: string, other: string, its: string) =>
    `Set ${name} to ${value} and ${other} to ${its}`,
  set: (name: string, value: string) => `Set ${name} to ${value}`,
  rename: (name: string) => `Rename it to ${name}`,
  identify: (id: string) => `Give it the id ${id}`,
  connect: (port: string) => `Connect it to ${port}`,
  standFor: (name: string) => `Stand for ${name}`,
  giveBack: (name: string) => `Return ${name}`,
  remove: (name: string) => `Remove ${name}`,
  call: (name: string) => `Call ${name}`,
  use: (name: string) => `Use ${name}`,
};
