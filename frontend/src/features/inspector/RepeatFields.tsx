import { Button, Group, NumberInput, Text } from "@mantine/core";
import { Copy, Repeat2 } from "lucide-react";
import { useState } from "react";
import { commands } from "@/features/canvas/commands";
import { detachOne } from "@/features/canvas/restructuring";
import { useText } from "@/i18n";
import { instancesOf } from "@/model/instances";
import { memberAt } from "@/model/members";
import { nameFault } from "@/model/names";
import { canStop, countOf, countText, renameVariable, setOver, stopRepeat, UNUSED } from "@/model/repeat";
import type { Place } from "@/model/report";
import { apply, useDoc } from "@/model/store";
import type { Block, Repeat } from "@/model/types";
import { useView } from "@/model/view";
import { NameField } from "./NameField";

/** How often an item of a container is built: a count, or a value for each element of an expression. */
export function RepeatFields({ place, path }: { place: Place; path: string }) {
  const t = useText().editor;
  const block = useDoc().blocks[place.block] as Block;
  const member = memberAt(block, path);
  if (member?.kind === "repeat") return <Fields place={place} path={path} repeat={member} />;
  const command = commands(t).find((it) => it.id === "repeat");
  if (!command?.enabled()) return null;
  return (
    <Button
      size="xs"
      variant="light"
      leftSection={<Repeat2 size={14} aria-hidden />}
      onClick={() => void command.run()}
      data-testid="repeat"
    >
      {t.inspector.repeat}
    </Button>
  );
}

function Fields({ place, path, repeat }: { place: Place; path: string; repeat: Repeat }) {
  const t = useText().editor;
  const count = countOf(repeat);
  const over = (text: string) =>
    apply(
      ({ editor: t }) => t.steps.set(t.inspector.repeat),
      (doc) => setOver(doc, place.block, path, text),
      `${path}.over`,
    );
  return (
    <>
      {count !== null && (
        <NumberInput
          size="xs"
          label={t.inspector.repeatTimes}
          value={count}
          min={1}
          max={1000}
          allowDecimal={false}
          onChange={(value) => typeof value === "number" && value >= 1 && over(countText(value))}
          data-testid="repeat-times"
        />
      )}
      <Group gap="xs" grow align="flex-start">
        {repeat.variables.map((variable) => (
          <NameField
            key={variable}
            label={t.inspector.repeatFor}
            value={variable}
            refuse={(next) => {
              const wrong = nameFault(next);
              return wrong ? t.names[wrong] : repeat.variables.includes(next) ? t.names.taken : null;
            }}
            onRename={(next) =>
              apply(
                ({ editor: t }) => t.steps.rename(variable, next),
                (doc) => renameVariable(doc, place.block, path, variable, next),
              )
            }
          />
        ))}
        <NameField
          label={t.inspector.repeatIn}
          value={repeat.over.$expr}
          refuse={(next) => (next.trim() ? null : t.inspector.repeatEmpty)}
          onRename={over}
          testId="repeat-over"
        />
      </Group>
      {repeat.variables.includes(UNUSED) && (
        <Text size="xs" c="dimmed">
          {t.inspector.repeatUnnamed}
        </Text>
      )}
      <Instances place={place} path={path} />
      {canStop(repeat) && (
        <Button
          size="xs"
          variant="light"
          onClick={() => {
            apply(
              ({ editor: t }) => t.steps.set(t.inspector.repeat),
              (doc) => stopRepeat(doc, place.block, path),
            );
            useView.setState({ item: null });
          }}
        >
          {t.inspector.repeatStop}
        </Button>
      )}
    </>
  );
}

/** Takes one of the instances out, to be edited by itself. */
function Instances({ place, path }: { place: Place; path: string }) {
  const t = useText().editor;
  const count = instancesOf(useDoc().blocks[place.block] as Block, path);
  const [chosen, setChosen] = useState<number | null>(null);
  if (count === 0) return null;
  const number = Math.min(chosen ?? count, count);
  return (
    <Group gap="xs" align="flex-end" wrap="nowrap">
      <NumberInput
        size="xs"
        w={90}
        label={t.inspector.repeatInstance}
        value={number}
        min={1}
        max={count}
        allowDecimal={false}
        onChange={(value) => typeof value === "number" && setChosen(value)}
      />
      <Button
        size="xs"
        variant="light"
        flex={1}
        leftSection={<Copy size={14} aria-hidden />}
        onClick={() => detachOne(path, number - 1)}
        data-testid="detach-instance"
      >
        {t.inspector.repeatDetach}
      </Button>
    </Group>
  );
}
