export { TrainDialog } from "./TrainDialog";
