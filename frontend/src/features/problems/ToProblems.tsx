import { Button } from "@mantine/core";
import { useText } from "@/i18n";
import { useView } from "@/model/view";

export const showProblems = (): void => useView.setState({ tab: "problems", bottomOpen: true });

/** From a panel that has nothing to show while there are errors, to the errors and their mends. */
export function ToProblems() {
  const t = useText().editor.problems;
  return (
    <Button size="xs" variant="light" onClick={showProblems}>
      {t.show}
    </Button>
  );
}
