import { common } from "./common";
import { data } from "./data";
import { editor } from "./editor";
import { exporting } from "./export";
import { help } from "./help";
import { imports } from "./imports";
import { lab } from "./lab";
import { metrics } from "./metrics";
import { networks } from "./networks";
import { problems } from "./problems";
import { remedies } from "./remedies";
import { runs } from "./runs";
import { train } from "./train";

export const zh: typeof import("@/i18n/en").en = {
  common,
  data,
  editor,
  exporting,
  help,
  imports,
  lab,
  metrics,
  networks,
  problems,
  remedies,
  runs,
  train,
};
