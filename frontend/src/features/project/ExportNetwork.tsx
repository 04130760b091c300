import { Alert, Button, Text } from "@mantine/core";
import { ListChecks, TriangleAlert } from "lucide-react";
import { useCanvas } from "@/features/canvas/state";
import { ExportDialog } from "@/features/download/ExportDialog";
import { ExportRow } from "@/features/download/ExportRow";
import { useCheck } from "@/features/problems/check";
import { goTo } from "@/features/problems/goTo";
import { useText } from "@/i18n/whole";
import { currentDoc } from "@/model/store";
import { useView } from "@/model/view";
import { fileName, saveJson } from "@/ui/save";

const close = () => useCanvas.setState({ dialog: null });

/** The drawing as a file: as it is, as code, as a program, with the weights of its initializers. */
export function ExportNetwork() {
  const t = useText().exporting;
  const opened = useCanvas((state) => state.dialog === "export");
  const errors = useCheck((state) => state.report?.problems.filter((it) => it.severity === "error").length ?? 0);
  return (
    <ExportDialog
      opened={opened}
      onClose={close}
      title={t.title}
      subject={() => ({ kind: "document", document: currentDoc() })}
      blocked={errors > 0}
      onProblem={(problem) => {
        close();
        goTo(problem);
      }}
      own={<OwnFormat />}
    >
      {errors > 0 ? <Broken errors={errors} /> : <Text size="sm">{t.untrained}</Text>}
    </ExportDialog>
  );
}

const SUFFIX = ".layerloom.json";

/** The document itself, which the page has already. */
function OwnFormat() {
  const { own } = useText().exporting;
  const save = () => {
    const doc = currentDoc();
    saveJson(doc, `${fileName(doc.name || doc.main)}${SUFFIX}`);
  };
  return (
    <ExportRow
      format={{ name: "layerloom", suffix: SUFFIX, missing: [], ...own }}
      outcome={{ is: "idle" }}
      onDownload={save}
    />
  );
}

function Broken({ errors }: { errors: number }) {
  const t = useText().exporting;
  const show = () => {
    close();
    useView.setState({ tab: "problems", bottomOpen: true });
  };
  return (
    <Alert color="yellow" variant="light" icon={<TriangleAlert size={18} aria-hidden />}>
      <Text size="sm">{t.broken(errors)}</Text>
      <Button
        mt="xs"
        size="compact-xs"
        variant="default"
        leftSection={<ListChecks size={13} aria-hidden />}
        onClick={show}
      >
        {t.showProblems}
      </Button>
    </Alert>
  );
}
