import { Alert, Button, Group, Skeleton, Stack, Text, Title } from "@mantine/core";
import { CircleAlert, PlugZap } from "lucide-react";
import type { ReactNode } from "react";
import { ApiError, UnreachableError } from "@/api/errors";
import { type Texts, useText } from "@/i18n";
import { ProblemText } from "./ProblemText";
import { Said } from "./Said";
import styles from "./States.module.css";

/** What went wrong, in the reader's language, and below it the service's own words. */
export function errorTitle(error: unknown, t: Texts): string {
  if (error instanceof ApiError) return t.problems[error.code] ?? t.common.error.unexpected(error.status);
  if (error instanceof UnreachableError) return t.common.error.unreachable;
  return t.common.error.title;
}

function errorText(error: unknown, t: Texts): string {
  if (error instanceof UnreachableError) return t.common.error.unreachableHint;
  return error instanceof Error ? error.message : String(error);
}

/** A failed request: what it was, what helps, and another try. */
export function ErrorNotice({ error, retry }: { error: unknown; retry?: (() => void) | undefined }) {
  const t = useText();
  const Icon = error instanceof UnreachableError ? PlugZap : CircleAlert;
  // A single cause often says the same as the whole.
  const causes = error instanceof ApiError ? error.errors.filter((item) => item.message !== error.message) : [];
  return (
    <Alert color="red" variant="light" icon={<Icon size={18} aria-hidden />} title={errorTitle(error, t)} role="alert">
      <Text size="sm">
        {error instanceof ApiError ? <ProblemText code={error.code} message={error.message} /> : errorText(error, t)}
      </Text>
      {causes.length > 0 && (
        <ul className={styles.causes}>
          {causes.slice(0, 12).map((item) => (
            <li key={`${item.path}${item.message}`}>
              {item.path && <code>{item.path}</code>} <Said>{item.message}</Said>
            </li>
          ))}
        </ul>
      )}
      {retry && (
        <Button mt="sm" size="xs" variant="default" onClick={retry}>
          {t.common.actions.retry}
        </Button>
      )}
    </Alert>
  );
}

/** Nothing here yet: why, and what to do about it. */
export function Empty(props: {
  icon?: ReactNode;
  title: string;
  children?: ReactNode;
  actions?: ReactNode;
  /** Where there is little height. */
  low?: boolean;
}) {
  return (
    <Stack align="center" gap={props.low ? 6 : "sm"} className={styles.empty} data-low={props.low || undefined}>
      {props.icon && <div className={styles.emptyIcon}>{props.icon}</div>}
      <Title order={2} size="h4">
        {props.title}
      </Title>
      {props.children && (
        <Text c="dimmed" maw={460} ta="center">
          {props.children}
        </Text>
      )}
      {props.actions && <Group mt="xs">{props.actions}</Group>}
    </Stack>
  );
}

/** A search that found nothing, and the way back to everything. The field is the one of the nearest `data-search`. */
export function NoHits({ children, onClear }: { children: ReactNode; onClear: () => void }) {
  const t = useText().common;
  const clear = (event: React.MouseEvent) => {
    const field = event.currentTarget.closest("[data-search]")?.querySelector("input");
    onClear();
    field?.focus();
  };
  return (
    <div className={styles.noHits} data-testid="no-hits">
      <p role="status">{children}</p>
      <Button size="compact-sm" variant="light" onClick={clear}>
        {t.actions.clearSearch}
      </Button>
    </div>
  );
}

/** The outline of a page while its code or data arrive. */
export function PageSkeleton() {
  const t = useText().common;
  return (
    <Stack p="lg" gap="md" role="status" aria-label={t.loading}>
      <Skeleton height={28} width={220} />
      <Skeleton height={120} />
      <Skeleton height={260} />
    </Stack>
  );
}

/** A few grey lines in place of a list. */
export function ListSkeleton({ rows = 5, height = 34 }: { rows?: number; height?: number }) {
  const t = useText().common;
  return (
    <Stack gap="xs" role="status" aria-label={t.loading}>
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike
        <Skeleton key={index} height={height} />
      ))}
    </Stack>
  );
}
