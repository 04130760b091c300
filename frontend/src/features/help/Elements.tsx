import { createElement, Fragment, type ReactNode } from "react";
import type { Element } from "@/api/types";

/** Elements of a docstring, made one by one: no text of it is ever read as markup. */
export function Elements({ content }: { content: readonly (string | Element)[] }): ReactNode {
  // biome-ignore lint/suspicious/noArrayIndexKey: what a docstring holds has no other order
  return content.map((part, index) => <Fragment key={index}>{made(part)}</Fragment>);
}

function made(part: string | Element): ReactNode {
  if (typeof part === "string") return part;
  const { tag, attributes, content } = part;
  const inner = content.length > 0 ? <Elements content={content} /> : undefined;
  if (tag === "a") return link(attributes.href, inner);
  if (tag === "aside") return <aside data-kind={attributes.kind}>{inner}</aside>;
  // Code that is wider than the card is scrolled, by keys, too.
  // biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls
  if (tag === "pre") return <pre tabIndex={0}>{inner}</pre>;
  const formula = tag === "math" || tag.startsWith("m");
  return createElement(tag, formula ? attributes : undefined, inner);
}

function link(href: string | undefined, inner: ReactNode): ReactNode {
  if (!href || !/^https?:\/\//.test(href)) return inner;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {inner}
    </a>
  );
}
