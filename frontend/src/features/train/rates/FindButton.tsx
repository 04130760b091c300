import { Button, Loader, Tooltip } from "@mantine/core";
import { TrendingDown } from "lucide-react";
import type { Ref } from "react";
import { useText } from "@/i18n/whole";
import type { Search } from "./useRateSearch";

interface Props {
  search: Search;
  /** How many errors the network has: with any, no loss can be measured. */
  errors: number;
  ref: Ref<HTMLButtonElement>;
}

/** Beside the learning rate: searches for one. */
export function FindButton({ search, errors, ref }: Props) {
  const { rates: t, broken } = useText().train;
  const label = errors > 0 ? `${t.findRate}: ${broken(errors)}` : t.findRate;
  const busy = search.state === "asking" || ["waiting", "running"].includes(search.report?.state ?? "");
  return (
    <Tooltip label={errors > 0 ? broken(errors) : t.findRate}>
      <Button
        size="compact-xs"
        h={20}
        variant="light"
        ref={ref}
        leftSection={busy ? <Loader size={11} aria-hidden /> : <TrendingDown size={12} aria-hidden />}
        // Not disabled meanwhile: that would take the focus from under the keyboard.
        aria-busy={busy}
        // Kept in reach of pointer and keyboard, so that the reason can be read.
        data-disabled={errors > 0 || undefined}
        aria-disabled={errors > 0}
        onClick={() => !busy && errors === 0 && search.start()}
        aria-label={label}
        data-testid="find-rate"
      >
        {t.find}
      </Button>
    </Tooltip>
  );
}
