import { create } from "zustand";

/** Whether the dialog that begins a network for a data set is shown. */
export const useBeginDialog = create<{ opened: boolean }>(() => ({ opened: false }));
