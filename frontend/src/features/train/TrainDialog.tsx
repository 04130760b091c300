import { Modal } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { catalogueQuery, datasetsQuery } from "@/api/queries";
import type { Document, Plan } from "@/api/types";
import { useCanvas } from "@/features/canvas/state";
import { useText } from "@/i18n/whole";
import { ErrorNotice, ListSkeleton } from "@/ui/States";
import type { Beginning } from "./fork/begin";
import type { Refit } from "./refit/RefitPanel";
import { TrainForm } from "./TrainForm";

interface Props {
  document: Document;
  /** The plan to begin with; else the defaults. */
  plan?: Plan | undefined;
  /** Hears of the plan by which a run was started. */
  onPlanned?: ((plan: Plan) => void) | undefined;
  /** The checkpoint of another run to begin with. */
  from?: Beginning | null | undefined;
  /** Whether the network may be changed first, in the editor. */
  editable?: boolean;
  /** Changes the network where the data ask for it; without, it stays as it is. */
  onRefit?: Refit | undefined;
  /** How many errors the network is known to have: with any, nothing can be started. */
  errors?: number;
  /** Leads to them. */
  onErrors?: (() => void) | undefined;
  opened: boolean;
  onClose: () => void;
}

/** Chooses data and plan for a network and starts a run. As it opens, it is complete: one press starts. */
export function TrainDialog({ opened, ...props }: Props) {
  const t = useText().train;
  const title = props.document.name || props.document.main;
  // A help card over the dialog is closed first.
  const explained = useCanvas((state) => state.help !== null);
  return (
    <Modal
      opened={opened}
      onClose={props.onClose}
      closeOnEscape={!explained}
      size={720}
      title={`${props.from ? t.fork.title : t.title} · ${title}`}
      data-testid="train-dialog"
    >
      <Loaded {...props} />
    </Modal>
  );
}

function Loaded(props: Omit<Props, "opened">) {
  const catalogue = useQuery(catalogueQuery);
  const datasets = useQuery(datasetsQuery);
  if (catalogue.data && datasets.data) {
    return <TrainForm {...props} catalogue={catalogue.data} datasets={datasets.data} />;
  }
  const error = catalogue.error ?? datasets.error;
  if (error) {
    return (
      <ErrorNotice
        error={error}
        retry={() => {
          void catalogue.refetch();
          void datasets.refetch();
        }}
      />
    );
  }
  return <ListSkeleton rows={6} />;
}
