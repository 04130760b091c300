import { Button, Loader, Tooltip } from "@mantine/core";
import { TrendingDown } from "lucide-react";
import type { Ref } from "react";
import { useText } from "@/i18n/whole";
import type { Search } from "./useRateSearch";

/** Beside the learning rate: searches for one. */
export function FindButton({ search, ref }: { search: Search; ref: Ref<HTMLButtonElement> }) {
  const t = useText().train.rates;
  const busy = search.state === "asking" || ["waiting", "running"].includes(search.report?.state ?? "");
  return (
    <Tooltip label={t.findRate}>
      <Button
        size="compact-xs"
        h={20}
        variant="light"
        ref={ref}
        leftSection={busy ? <Loader size={11} aria-hidden /> : <TrendingDown size={12} aria-hidden />}
        // Not disabled meanwhile: that would take the focus from under the keyboard.
        aria-busy={busy}
        onClick={() => !busy && search.start()}
        aria-label={t.findRate}
        data-testid="find-rate"
      >
        {t.find}
      </Button>
    </Tooltip>
  );
}
