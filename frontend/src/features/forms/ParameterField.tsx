import type { ReactNode } from "react";
import type { ParameterSpec, Value } from "@/api/types";
import { Field } from "./Field";
import type { Resolved } from "./modes";

export interface ParameterFieldProps {
  spec: ParameterSpec;
  /** undefined: not given, so that the default holds. */
  value: Value | undefined;
  /** Called with undefined when the field returns to its default. */
  onChange: (value: Value | undefined) => void;
  /** A problem of this argument, in words. */
  error?: string | undefined;
  /** What the check found for an automatic size. */
  resolved?: Resolved;
  /** Offer expressions over the block's arguments. */
  expressions?: boolean | undefined;
  /** Offer one value while the network trains and another one otherwise. */
  cases?: boolean | undefined;
  /** What a person calls the node that a value comes from. */
  sourceName?: ((id: string) => string) | undefined;
  disabled?: boolean | undefined;
  /** An example for an empty field; else the default stands there. */
  placeholder?: string | undefined;
  /** What else can be done with the value, beside the name. */
  tool?: ReactNode;
}

/**
 * Edits one argument as its ParameterSpec describes it: the control follows from its kinds; the default is shown,
 * a value that differs is marked and can be reset.
 */
export function ParameterField(props: ParameterFieldProps) {
  return <Field {...props} />;
}
