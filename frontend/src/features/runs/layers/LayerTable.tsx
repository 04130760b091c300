import { Image } from "lucide-react";
import { Course, Row, RowName, VirtualTable } from "@/features/runs/VirtualTable";
import table from "@/features/runs/VirtualTable.module.css";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import type { ImageTracks } from "@/live/images";
import type { LayerTracks, Moment } from "@/live/tracks";
import styles from "./LayersPanel.module.css";

interface Props {
  tracks: LayerTracks;
  images: ImageTracks;
  selected: string | null;
  onSelect: (layer: string) => void;
}

const COLUMNS = "minmax(120px, 1.4fr) minmax(72px, 0.7fr) 150px minmax(60px, 0.6fr) minmax(86px, 0.8fr)";
/** Above this share of dead units a layer is told of. */
const MANY_DEAD = 0.5;

/** Every layer in the order in which they run, with the moments of what it gives. Only rows in sight exist. */
export function LayerTable({ tracks, images, selected, onSelect }: Props) {
  const t = useText().runs.layers;
  const names = tracks.names;
  const pictured = new Set(images.sources.map(({ layer }) => layer));
  return (
    <VirtualTable
      label={t.name}
      columns={COLUMNS}
      least={500}
      head={
        <>
          <th scope="col">{t.name}</th>
          <th scope="col">{t.mean}</th>
          <th scope="col">{t.std}</th>
          <th scope="col">{t.zeros}</th>
          <th scope="col" title={t.deadHint}>
            {t.dead}
          </th>
        </>
      }
      count={names.length}
      row={(index, start) => {
        const name = names[index] as string;
        return (
          <Row key={name} start={start} selected={name === selected}>
            <td>
              <RowName name={name} selected={name === selected} onSelect={onSelect}>
                {name || t.whole}
                {pictured.has(name) && <Image size={13} aria-label={t.pictured} />}
              </RowName>
            </td>
            <Cells tracks={tracks} name={name} />
          </Row>
        );
      }}
    />
  );
}

function Cells({ tracks, name }: { tracks: LayerTracks; name: string }) {
  const t = useText().runs.layers;
  const columns = tracks.columns.get(name);
  const last = (moment: Moment) => columns?.[moment].last() ?? Number.NaN;
  const [units, dead] = [last("units"), last("dead")];
  return (
    <>
      <td className={table.number}>
        <Value value={last("mean")} />
      </td>
      <td>
        <Course values={columns?.std.view()} label={`${t.std}: ${shortNumber(last("std"))}`}>
          <Value value={last("std")} />
        </Course>
      </td>
      <td className={table.number}>{share(last("zeros"))}</td>
      <td className={styles.dead} data-many={dead / units >= MANY_DEAD || undefined}>
        {Number.isNaN(dead) ? "–" : t.deadOf(dead, units)}
      </td>
    </>
  );
}

function Value({ value }: { value: number }) {
  const t = useText().runs.layers;
  if (Number.isNaN(value)) return <>–</>;
  if (!Number.isFinite(value)) return <span className={table.broken}>{t.nonfinite}</span>;
  return <>{shortNumber(value)}</>;
}

const share = (value: number) => (Number.isNaN(value) ? "–" : `${Number((100 * value).toPrecision(3))}%`);
