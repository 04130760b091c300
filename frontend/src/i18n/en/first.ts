import { common } from "./common";
import { editor } from "./editor";
import { help } from "./help";
import { imports } from "./imports";
import { problems } from "./problems";
import { remedies } from "./remedies";

/** What is said on every page and in the editor. */
export const first = { common, editor, help, imports, problems, remedies };
