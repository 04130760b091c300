import { SessionNotice } from "@/features/session/SessionNotice";

/** Shown in place of everything else when the service answers 401. */
export function SessionPage() {
  return <SessionNotice />;
}
