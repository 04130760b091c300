/** The list of saved networks. */
export const networks = {
  search: "Search saved networks",
  noHit: (query: string) => `No saved network is called “${query}”.`,
  more: (count: number) => `Show ${count} more`,
  rename: (name: string) => `Rename ${name}`,
  newName: (name: string) => `New name of ${name}`,
  delete: (name: string) => `Delete ${name}`,
  deleteTitle: (name: string) => `Delete “${name}”?`,
  deleteBody: "All its versions go with it, for good. Runs keep the network that they trained.",
  deleteOpen: "It is open now and stays in the editor, but will be saved nowhere until you change it or save it again.",
  deleteElsewhere: "It is open in another tab, too, where the next change saves it as a new network.",
  deleted: (name: string) => `“${name}” is deleted`,
  deletedOpen: "The editor still shows it. It is saved again with your next change.",
};
