import { Button } from "@mantine/core";
import { Wrench } from "lucide-react";
import type { Fix, Problem } from "@/api/types";
import { useText } from "@/i18n";
import { saidNow, useSaid } from "@/i18n/said";
import { mended } from "@/model/patch";
import { apply, currentDoc } from "@/model/store";
import { toast } from "@/ui/Toasts";

/** A button for each mend of a problem: one step, or a word that the network has changed since. */
export function FixButtons({ problem, variant }: { problem: Problem; variant: "light" | "default" }) {
  const t = useText();
  const said = useSaid();
  const mend = (fix: Fix) => {
    const next = mended(currentDoc(), fix);
    if (next)
      apply(
        () => saidNow(fix.title),
        () => next,
      );
    else toast(t.editor.problems.stale);
  };
  return problem.fixes.map((fix) => {
    const title = said(fix.title);
    return (
      <Button
        key={fix.title}
        size="compact-xs"
        variant={variant}
        leftSection={<Wrench size={12} aria-hidden />}
        onClick={() => mend(fix)}
        data-testid="fix"
      >
        {title}
      </Button>
    );
  });
}
