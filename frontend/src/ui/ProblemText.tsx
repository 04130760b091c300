import { useText } from "@/i18n";
import type { ProblemCode } from "@/i18n/codes";
import styles from "./States.module.css";

/** What the service says of a problem. It speaks English: readers of other languages are told first what helps. */
export function ProblemText({ code, message }: { code: ProblemCode; message: string }) {
  const remedy = useText().remedies[code];
  if (!remedy) return message;
  return (
    <>
      {remedy}{" "}
      <span lang="en" className={styles.original}>
        {message}
      </span>
    </>
  );
}
