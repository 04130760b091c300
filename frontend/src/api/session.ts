import { create } from "zustand";

/** Whether the service still knows this browser: a 401 anywhere shows the session page. */
export const useSession = create<{ expired: boolean }>(() => ({ expired: false }));

export const expireSession = () => useSession.setState({ expired: true });
export const renewSession = () => useSession.setState({ expired: false });
