export { caseText, onlyText, portText, whileText } from "./conditions";
export { Form } from "./Form";
export { useFault } from "./faults";
export { formatValue, parseValue } from "./literals";
export { NumberField } from "./NumberField";
export { ParameterField, type ParameterFieldProps } from "./ParameterField";
