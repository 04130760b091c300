import { type Phrasebook, reader } from "@/i18n/phrases";
import { checking } from "./checking";
import { data } from "./data";
import { importing } from "./importing";
import { networks } from "./networks";
import { service } from "./service";
import { training } from "./training";
import { words } from "./words";

export const book: Phrasebook = {
  phrases: { ...checking, ...data, ...importing, ...networks, ...service, ...training },
  words,
  marks: { ".": "。", ":": "：", ";": "；", ",": "，" },
};

export const translate = reader(book);
