import { Button, Menu } from "@mantine/core";
import { ChevronDown, Gauge, GitFork, TimerReset } from "lucide-react";
import { useState } from "react";
import type { Run } from "@/api/types";
import { useText } from "@/i18n/whole";
import { ForkDialog } from "./ForkDialog";
import { LengthDialog } from "./LengthDialog";
import { RateDialog } from "./RateDialog";

type Dialog = "rate" | "length" | "fork" | null;

/** Runs of these states may have another learning rate; those that wait for a trainer have it from its first step. */
const ADJUSTABLE: Run["state"][] = ["queued", "starting", "running", "paused", "interrupted"];

/** What may be changed of a run after it was started. */
export function MoreMenu({ run, state, saved }: { run: Run; state: Run["state"]; saved: boolean }) {
  const t = useText().runs.commands;
  const [dialog, setDialog] = useState<Dialog>(null);
  const adjustable = ADJUSTABLE.includes(state);
  const close = () => setDialog(null);
  return (
    <>
      <Menu position="bottom-end" shadow="md" width={250}>
        <Menu.Target>
          <Button variant="default" size="xs" rightSection={<ChevronDown size={14} aria-hidden />}>
            {t.more}
          </Button>
        </Menu.Target>
        <Menu.Dropdown>
          <Menu.Item
            leftSection={<Gauge size={15} aria-hidden />}
            disabled={!adjustable}
            onClick={() => setDialog("rate")}
          >
            {t.rate}
          </Menu.Item>
          <Menu.Item
            leftSection={<TimerReset size={15} aria-hidden />}
            disabled={!adjustable && state !== "succeeded"}
            onClick={() => setDialog("length")}
          >
            {t.length}
          </Menu.Item>
          <Menu.Divider />
          <Menu.Item
            leftSection={<GitFork size={15} aria-hidden />}
            disabled={!saved}
            onClick={() => setDialog("fork")}
          >
            {t.fork}
          </Menu.Item>
        </Menu.Dropdown>
      </Menu>
      <RateDialog run={run} opened={dialog === "rate"} onClose={close} />
      <LengthDialog run={run} ended={state === "succeeded"} opened={dialog === "length"} onClose={close} />
      <ForkDialog run={run} checkpoint={dialog === "fork" ? "last" : null} onClose={close} />
    </>
  );
}
