import { useMutation } from "@tanstack/react-query";
import { api, unwrap } from "@/api/client";
import { openCopy } from "@/features/project/project";
import { useProject } from "@/features/project/store";
import { useToEditor } from "@/features/project/useToEditor";
import { DEFAULTS, rememberPlan } from "@/features/train/settings";

/** Begins a network for a data set: its input, a head for its task, and a plan that names it. */
export function useBegin(then: () => void) {
  const toEditor = useToEditor();
  return useMutation({
    mutationFn: async (dataset: string) => {
      const document = await unwrap(api.POST("/api/graphs/template", { body: { dataset } }));
      const open = () => {
        openCopy(document, true);
        rememberPlan(useProject.getState(), { ...DEFAULTS, dataset });
      };
      await toEditor(open, then);
    },
  });
}
