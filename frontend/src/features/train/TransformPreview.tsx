import { Button, Loader } from "@mantine/core";
import { useDebouncedValue } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { Dices } from "lucide-react";
import { useState } from "react";
import { ApiError } from "@/api/errors";
import { transformsQuery } from "@/api/queries";
import type { DatasetEntry, Transform } from "@/api/types";
import { Pictures } from "@/features/data/Pictures";
import { useSaid } from "@/i18n/said";
import { useText } from "@/i18n/whole";
import { shapeText } from "@/lib/shape";
import styles from "./TrainDialog.module.css";

const PAUSE_MS = 500;
const COUNT = 6;

/** Some images before and after, and the shape that comes out. */
export function TransformPreview(props: { dataset: DatasetEntry; transforms: Transform[]; seed: number }) {
  const t = useText().train.transforms;
  const said = useSaid();
  const [draw, setDraw] = useState(0);
  const [transforms] = useDebouncedValue(props.transforms, PAUSE_MS);
  const seed = (props.seed + draw) % Number.MAX_SAFE_INTEGER;
  const { data, error, isFetching } = useQuery(
    transformsQuery(props.dataset.name, { transforms, part: "training", count: COUNT, seed }),
  );
  return (
    <div className={styles.preview} data-testid="transform-preview" aria-busy={isFetching}>
      {error && (
        <p role="alert" className={styles.transformError}>
          {messages(error, said)}
        </p>
      )}
      {data && !error && (
        <>
          <h4>
            {t.before} <span>{shapeText(props.dataset.shape)}</span>
          </h4>
          <Pictures pictures={data.before} labels={data.labels} />
          <h4>
            {t.after}{" "}
            <span data-testid="shape-out">
              {shapeText(data.shapes.training ?? [])}
              {shapeText(data.shapes.validation ?? []) !== shapeText(data.shapes.training ?? []) &&
                ` · ${t.use.validation} ${shapeText(data.shapes.validation ?? [])}`}
            </span>
            {isFetching && <Loader size={12} aria-label={t.trying} />}
          </h4>
          <Pictures pictures={data.after} labels={data.labels} />
          <Button
            size="compact-xs"
            variant="default"
            className={styles.add}
            leftSection={<Dices size={13} aria-hidden />}
            onClick={() => setDraw(draw + 1)}
          >
            {t.again}
          </Button>
        </>
      )}
      {!data && !error && (
        <p className={styles.trying}>
          <Loader size={12} aria-hidden /> {t.trying}
        </p>
      )}
    </div>
  );
}

function messages(error: unknown, said: (english: string) => string): string {
  if (error instanceof ApiError && error.errors.length > 0)
    return error.errors.map((item) => said(item.message)).join(" ");
  return said(error instanceof Error ? error.message : String(error));
}
