import { common } from "./common";
import { data } from "./data";
import { editor } from "./editor";
import { fixes } from "./fixes";
import { metrics } from "./metrics";
import { problems } from "./problems";
import { runs } from "./runs";
import { train } from "./train";

export const en = { common, data, editor, fixes, metrics, problems, runs, train };
