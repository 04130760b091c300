import { Modal } from "@mantine/core";
import { useCheck } from "@/features/problems/check";
import { useText } from "@/i18n";
import { useDoc } from "@/model/store";
import { focusNode, placeIn, selectItem, useView } from "@/model/view";
import { addByHand } from "./adding";
import { lookup } from "./catalogue";
import { categoryColour } from "./categories";
import { commands } from "./commands";
import { findables, finds } from "./find";
import { keyText } from "./keys";
import { useKindName } from "./kinds";
import { type Choice, SearchList } from "./SearchList";
import { search } from "./search";
import { useCanvas } from "./state";
import { useSelectedAxes } from "./useSuggested";
import { useThings } from "./useThings";

const close = () => useCanvas.setState({ dialog: null });
const MOST = 40;

/** Every command, every layer by name, and every node by name, type or shape. `more` are the page's own commands. */
export function CommandPalette({ more }: { more: Choice[] }) {
  const t = useText().editor;
  const opened = useCanvas((state) => state.dialog === "palette");
  return (
    <Modal.Root opened={opened} onClose={close} size="lg" yOffset="12vh" centered={false}>
      <Modal.Overlay />
      <Modal.Content aria-label={t.commandPalette.title}>
        <Modal.Body p={0}>{opened && <Content more={more} />}</Modal.Body>
      </Modal.Content>
    </Modal.Root>
  );
}

function Content({ more }: { more: Choice[] }) {
  const t = useText().editor;
  const { layers, structure, operations } = useThings();
  const doc = useDoc();
  const report = useCheck((state) => state.report);
  const kindName = useKindName();
  const axes = useSelectedAxes();
  const place = placeIn(useView.getState().trail, doc);
  const run = (act: () => void | Promise<void>) => () => {
    close();
    void act();
  };
  const own: Choice[] = [
    ...commands(t)
      .filter((command) => command.id !== "find" && command.enabled())
      .map((command) => ({
        id: command.id,
        label: t.commands[command.id],
        hint: keyText(command.keys),
        run: run(command.run),
      })),
    ...more.map((choice) => ({ ...choice, run: run(choice.run) })),
  ];
  const find = (query: string): Choice[] => {
    const wanted = query.trim().toLowerCase();
    const has = (text: unknown) => String(text).toLowerCase().includes(wanted);
    if (!wanted) return own;
    // What the list shows can be typed as it stands there: “Add Linear”, “Go to conv”.
    const behind = (prefix: string) => (wanted.startsWith(prefix.toLowerCase()) ? wanted.slice(prefix.length) : wanted);
    const named = behind(t.commandPalette.add(""));
    const things = search([...layers, ...structure, ...operations], named, axes).map((listed) => ({
      id: `add-${listed.id}`,
      label: t.commandPalette.add(listed.label),
      hint: t.categories[listed.category as keyof typeof t.categories] ?? listed.category,
      from: listed.from,
      colour: categoryColour(listed.category),
      run: run(() => addByHand(listed)),
    }));
    const found = findables(doc, place, lookup, report, kindName)
      .filter((it) => finds(it, behind(t.commandPalette.go(""))))
      .map(({ id, item, name, type, shape }) => ({
        id: `go-${item ?? id}`,
        label: t.commandPalette.go(name),
        hint: [type, shape].filter(Boolean).join(" · "),
        run: run(() => {
          focusNode(id);
          if (item) selectItem(id, item);
        }),
      }));
    return [...own.filter((choice) => has(choice.label)), ...found, ...things].slice(0, MOST);
  };
  return (
    <SearchList
      label={t.commandPalette.title}
      placeholder={t.commandPalette.search}
      nothing={t.palette.nothing}
      testId="command-palette"
      onClose={close}
      find={find}
      height={420}
    />
  );
}
