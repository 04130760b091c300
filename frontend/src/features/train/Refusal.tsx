import { Alert, Button } from "@mantine/core";
import { useText } from "@/i18n/whole";
import { ProblemText } from "@/ui/ProblemText";
import { ErrorNotice } from "@/ui/States";
import { type Refused, unplaced } from "./problems";
import styles from "./TrainDialog.module.css";

/** Said before anything is sent: a network with errors cannot be trained. */
export function Broken({ errors, onErrors }: { errors: number; onErrors: (() => void) | undefined }) {
  const t = useText();
  return (
    <Alert color="red" title={t.train.broken(errors)} role="alert" data-testid="broken">
      {onErrors && (
        <Button size="xs" variant="default" onClick={onErrors} data-autofocus>
          {t.editor.problems.show}
        </Button>
      )}
    </Alert>
  );
}

/** What has no control of its own: problems of the network, and anything else that was refused. */
export function Refusal({ error, refused }: { error: unknown; refused: Refused }) {
  const t = useText();
  const general = unplaced(refused);
  const count = [...refused.values()].flat().length;
  if (count === 0) return <ErrorNotice error={error} />;
  return (
    <Alert color="red" title={t.train.problems(count)} role="alert">
      {general.length > 0 && (
        <ul className={styles.problems}>
          {general.map(({ field, item }) => {
            const where = item.problem?.member || field || (item.problem ? "" : item.path);
            return (
              <li key={`${item.path}${item.message}`}>
                <b>{t.problems[item.code]}</b>
                {where && <code>{where}</code>} <ProblemText code={item.code} message={item.message} />
              </li>
            );
          })}
        </ul>
      )}
    </Alert>
  );
}
