import { useQueryClient } from "@tanstack/react-query";
import { importSourcesQuery } from "@/api/imports";
import { openFrom } from "@/features/project/opening";
import { openCopy } from "@/features/project/project";
import { useLeave } from "@/features/project/useLeave";
import { useText } from "@/i18n";
import { MalformedDocument, parseJson } from "@/model/normalise";
import { toast } from "@/ui/Toasts";

const suffixOf = (name: string) => /\.[^.]*$/.exec(name.toLowerCase())?.[0] ?? "";

/** Opens a file by its kind: a network of ours, Python code in its dialog, and whatever else the service reads. */
export function useOpenFile(): (file: File, onText?: (text: string) => void) => Promise<void> {
  const t = useText();
  const leave = useLeave();
  const client = useQueryClient();
  return async (file, onText) => {
    const suffix = suffixOf(file.name);
    if (suffix === ".json") {
      const text = await file.text();
      return leave(() => {
        try {
          openCopy(parseJson(text), true);
        } catch (error) {
          if (!(error instanceof MalformedDocument)) throw error;
          toast(t.editor.project.badFile, t.editor.malformed[error.code](error.what));
        }
      });
    }
    if (suffix === ".py") {
      const text = await file.text();
      return onText ? onText(text) : openFrom("code", { source: text });
    }
    const { files } = await client.fetchQuery(importSourcesQuery);
    if (files.includes(suffix)) openFrom("code", { file });
    else toast(t.imports.badFile, [".json", ...files].join(" "));
  };
}
