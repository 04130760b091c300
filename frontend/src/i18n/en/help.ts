/** What helps someone who is new: the tour, the keys, the cards of layers. */
export const help = {
  menu: "Help",
  tour: {
    label: "Tour of the editor",
    step: (at: number, of: number) => `Step ${at} of ${of}`,
    back: "Back",
    next: "Next",
    done: "Done",
    skip: "Skip the tour",
    stops: {
      palette: {
        title: "Pick a layer",
        text: "Every layer and operation of PyTorch is here. Drag one onto the canvas or onto a connection, or press Enter to add it below the selection.",
      },
      canvas: {
        title: "Connect, and read the shapes",
        text: "Drag from the lower handle of a node to the upper handle of another. Each connection says which shape flows through it, and turns red with the reason where it cannot.",
      },
      problems: {
        title: "Mend what is wrong",
        text: "Problems are listed here, most of them with a mend of one click. Beside them: the network as PyTorch code, all shapes, and the initializers.",
      },
      train: {
        title: "Train it",
        text: "Choose the data and start: the curves appear as it learns. Afterwards, download the weights for your own code.",
      },
    },
  },
  card: {
    open: (label: string) => `Help: ${label}`,
    shape: "Shape",
    description: "Description",
    arguments: "Arguments",
    attributes: "Attributes",
    returns: "Returns",
    notes: "Notes",
    examples: "Example",
    copy: "Copy the example",
    copied: "Copied",
    empty: "It has no docstring",
    emptyHint: "What a class says of itself below its first line is shown here.",
  },
  strip: {
    describe: (kernel: number, stride: number, padding: number, dilation: number) =>
      `Along one axis: each output reads ${kernel} cells ${dilation} apart, the next begins ${stride} further, with a padding of ${padding} in front`,
  },
};
