import { common } from "./common";
import { data } from "./data";
import { editor } from "./editor";
import { metrics } from "./metrics";
import { problems } from "./problems";
import { runs } from "./runs";
import { train } from "./train";

export const en = { common, data, editor, metrics, problems, runs, train };
