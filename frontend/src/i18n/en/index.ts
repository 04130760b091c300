import { data } from "./data";
import { exporting } from "./export";
import { first } from "./first";
import { lab } from "./lab";
import { metrics } from "./metrics";
import { networks } from "./networks";
import { runs } from "./runs";
import { train } from "./train";

export const en = { ...first, data, exporting, lab, metrics, networks, runs, train };
