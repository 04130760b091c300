import { useMutation } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { importedNetwork, type Source } from "@/api/imports";
import { openCopy } from "@/features/project/project";
import { useLeave } from "@/features/project/useLeave";
import { useText } from "@/i18n";
import { foldLarge } from "@/model/folding";
import { normalise } from "@/model/normalise";
import { toast } from "@/ui/Toasts";

type Asked = {
  source: Source;
  /** What a person calls it. */
  name: string;
  /** Whether what the service noted is worth a message: of a known network there is nothing new. */
  quiet?: boolean;
};

/** Has one network opened at a time, as a new project. Leaving the dialog gives it up. */
export function useImport(onDone: () => void) {
  const t = useText().imports;
  const leave = useLeave();
  const now = useRef<AbortController>(undefined);
  const { mutate, variables, isPending, error, reset } = useMutation({
    mutationFn: async ({ source, name, quiet }: Asked) => {
      now.current = new AbortController();
      const { signal } = now.current;
      const { document, notes } = await importedNetwork(source, signal);
      if (signal.aborted) return;
      // A class says what it is called; weights know no name but their file's.
      const called = (source.kind === "request" && document.name) || name;
      await leave(
        () => openCopy(foldLarge(normalise({ ...document, name: called })), true),
        () => {
          onDone();
          if (!quiet && notes.length > 0) toast(t.opened(called), notes.join(" "), "service");
        },
      );
    },
  });
  const cancel = () => {
    now.current?.abort();
    reset();
  };
  useEffect(() => () => now.current?.abort(), []);
  const aborted = error instanceof DOMException && error.name === "AbortError";
  return {
    start: (asked: Asked) => mutate(asked),
    cancel,
    reset,
    pending: isPending ? (variables?.name ?? "") : null,
    error: aborted ? null : error,
  };
}

export type Import = ReturnType<typeof useImport>;
