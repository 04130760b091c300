import { Badge, Button } from "@mantine/core";
import { Check, TrendingDown, TrendingUp } from "lucide-react";
import { useText } from "@/i18n/whole";
import { shortNumber } from "@/lib/format";
import styles from "./Lab.module.css";
import type { Judgement, Scale } from "./scheme";

const BADGE = { steady: "teal", grows: "yellow", fades: "yellow", explodes: "red", vanishes: "red" } as const;
const ICON = {
  steady: Check,
  grows: TrendingUp,
  fades: TrendingDown,
  explodes: TrendingUp,
  vanishes: TrendingDown,
} as const;

interface Props {
  name: string;
  label: string;
  values: readonly (number | null)[];
  /** What each bar stands for. */
  layers: readonly string[];
  scale: Scale;
  judgement: Judgement | null;
  /** The layer under the pointer, on this card or another. */
  hovered: number | null;
  onHover: (place: number | null) => void;
  onPick: (place: number) => void;
  /** Null where it is what the network has already. */
  use: (() => void) | null;
}

/** One scheme: a bar for each layer, from the first on the left to the last on the right. */
export function SchemeCard(props: Props) {
  const t = useText().lab;
  const { judgement, hovered } = props;
  const way = judgement ? t.way(shortNumber(judgement.ratio), judgement.layers) : "";
  const Icon = judgement ? ICON[judgement.verdict] : null;
  return (
    <article className={styles.card} data-testid={`scheme-${props.name}`} data-verdict={judgement?.verdict}>
      <header className={styles.head}>
        <h3 className={styles.name} title={props.label}>
          {props.label}
        </h3>
        {props.use && (
          <Button
            size="compact-xs"
            variant="subtle"
            className={styles.use}
            onClick={props.use}
            aria-label={t.apply(props.label)}
          >
            {t.use}
          </Button>
        )}
      </header>
      <Bars {...props} label={t.bars(props.label, way)} />
      <footer className={styles.foot}>
        <p className={styles.reading} title={hovered === null ? way : undefined}>
          {hovered === null ? (
            way
          ) : (
            <>
              <code>{props.layers[hovered]}</code> · {reading(props.values[hovered], t.notFinite)}
            </>
          )}
        </p>
        {judgement && Icon && (
          <Badge
            size="sm"
            variant="light"
            tt="none"
            className={styles.badge}
            color={BADGE[judgement.verdict]}
            leftSection={<Icon size={11} aria-hidden />}
          >
            {t.verdicts[judgement.verdict]}
          </Badge>
        )}
      </footer>
    </article>
  );
}

const reading = (value: number | null | undefined, broken: string): string =>
  value != null && Number.isNaN(value) ? broken : shortNumber(value);

function Bars({ label, values, layers, scale, hovered, onHover, onPick }: Props) {
  const zero = scale.of(scale.base);
  return (
    <div className={styles.bars} role="img" aria-label={label}>
      <div className={styles.base} style={{ bottom: `${100 * zero}%` }} />
      {values.map((value, place) => {
        const broken = value !== null && Number.isNaN(value);
        const end = broken ? 1 : value === null ? zero : scale.of(value);
        return (
          // biome-ignore lint/a11y/noStaticElementInteractions: the list of shapes leads to the layers by keyboard
          // biome-ignore lint/a11y/useKeyWithClickEvents: the list of shapes leads to the layers by keyboard
          <div
            key={layers[place]}
            className={styles.slot}
            data-hovered={place === hovered || undefined}
            onPointerEnter={() => onHover(place)}
            onPointerLeave={() => onHover(null)}
            onClick={() => onPick(place)}
          >
            <div
              className={styles.bar}
              data-broken={broken || undefined}
              style={{ bottom: `${100 * Math.min(zero, end)}%`, height: `max(2px, ${100 * Math.abs(end - zero)}%)` }}
            />
          </div>
        );
      })}
    </div>
  );
}
