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
import { NEAR, type Near, nearLabel, ranked } from "./search";
import { useCanvas } from "./state";
import { useSelectedAxes } from "./useSuggested";
import { useThings } from "./useThings";

const close = () => useCanvas.setState({ dialog: null });
const MOST = 40;

/** One of the page's own commands. `words`: what else finds it, in any language. */
export type OwnCommand = { id: string; label: string; words?: string; hint: React.ReactNode; run: () => void };

/** Every command, every layer by name, and every node by name, type or shape. `more` are the page's own commands. */
export function CommandPalette({ more }: { more: OwnCommand[] }) {
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

function Content({ more }: { more: OwnCommand[] }) {
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
  const own: (Choice & { label: string; words?: string })[] = [
    ...commands(t)
      .filter((command) => command.enabled())
      .map((command) => ({
        id: command.id,
        label: t.commands[command.id],
        hint: keyText(command.keys),
        // This is where things are found: the list of them follows.
        run: command.id === "find" ? t.commandPalette.go("") : run(command.run),
      })),
    ...more.map((choice) => ({ ...choice, run: run(choice.run) })),
  ];
  const find = (query: string): Choice[] => {
    const wanted = query.trimStart().toLowerCase();
    if (!wanted) return own;
    // What the list shows can be typed as it stands there: “Add Linear”, “Go to conv”.
    const behind = (words: string) => {
      const prefix = words.toLowerCase();
      return (wanted.startsWith(prefix) ? wanted.slice(prefix.length) : wanted).trim();
    };
    const listed: [Near | null, Choice][] = own.map((choice) => [nearOwn(choice, wanted.trim()), choice]);
    const going = t.commandPalette.go("");
    const sought = behind(going);
    const found = findables(doc, place, lookup, report, kindName)
      .filter((it) => finds(it, sought))
      .map(({ id, item, name, type, shape }): [Near, Choice] => [
        nearLabel(name, sought) ?? NEAR.synonym,
        {
          id: `go-${item ?? id}`,
          label: t.commandPalette.go(name),
          hint: [type, shape].filter(Boolean).join(" · "),
          run: run(() => {
            focusNode(id);
            if (item) selectItem(id, item);
          }),
        },
      ]);
    const named = behind(t.commandPalette.add(""));
    const things =
      named && !wanted.startsWith(going.toLowerCase())
        ? ranked([...layers, ...structure, ...operations], named, axes)
        : [];
    const added = things.map(({ listed, near }): [Near, Choice] => [
      near,
      {
        id: `add-${listed.id}`,
        label: t.commandPalette.add(listed.label),
        hint: t.categories[listed.category as keyof typeof t.categories] ?? listed.category,
        from: listed.from,
        colour: categoryColour(listed.category),
        run: run(() => addByHand(listed)),
      },
    ]);
    return nearestFirst([...listed, ...found, ...added]).slice(0, MOST);
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

/** A command by its label, else by words that stand for it. */
const nearOwn = ({ label, words = "" }: { label: string; words?: string }, query: string): Near | null =>
  nearLabel(label, query) ?? (nearLabel(words, query) === null ? null : NEAR.synonym);

/** As near ones stay in their order; what fits only by far is left out where anything fits better. */
function nearestFirst(all: readonly [Near | null, Choice][]): Choice[] {
  const fitting = all.filter((it): it is [Near, Choice] => it[0] !== null).toSorted(([a], [b]) => b - a);
  const good = fitting.filter(([near]) => near > NEAR.remote);
  return (good.length > 0 ? good : fitting).map(([, choice]) => choice);
}
